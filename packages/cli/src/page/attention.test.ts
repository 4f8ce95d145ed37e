import type { NodeRow } from '@carillon/web'
import { expect, it } from 'vitest'
import { type AttentionParts, attention } from './attention.ts'

const nothing: AttentionParts = {
  now: new Date('2026-01-01T00:10:00Z'),
  problems: [],
  source: undefined,
  unserved: [],
  nodes: [],
  sessions: [],
  pools: [],
  events: [],
}

const node = (name: string, fields: Partial<NodeRow> = {}): NodeRow => ({
  name,
  liveness: 'alive',
  owns: 0,
  ...fields,
})
const report = {
  version: '1.0.0',
  startedAt: '2026-01-01T00:00:00Z',
  configuration: 'valid',
  standing: 'confirmed',
  load: 0,
  cpu: 0,
  memory: 0,
  failures: [],
  sessions: [],
} as const
const told = (parts: Partial<AttentionParts>): readonly (readonly [string, string])[] =>
  attention({ ...nothing, ...parts }).map(({ severity, title }) => [severity, title])

it('says nothing where all is well', () => {
  expect(
    told({
      nodes: [node('a', { report: { ...report, health: 1 } })],
      pools: [{ name: 'p', assignedIPv4: 8, availableIPv4: 2, assignedIPv6: 0, availableIPv6: 0 }],
    }),
  ).toEqual([])
})

it('takes Services together that wait for the same reason, and says what to do', () => {
  const reason = { code: 'AllocationFailed', message: 'pool "lan" has no IPv4 address left. Add addresses' }
  const unserved = ['a', 'b', 'c', 'd', 'e'].map(name => ({ service: `shop/${name}`, reason }))
  expect(
    attention({
      ...nothing,
      unserved: [...unserved, { service: 'shop/x', reason: { ...reason, message: 'other' } }],
    }),
  ).toMatchObject([
    {
      title: '5 Services have no address',
      detail:
        'shop/a, shop/b, shop/c, shop/d, shop/e. AllocationFailed: pool "lan" has no IPv4 address left. Add addresses',
      count: 5,
    },
    { title: 'shop/x has no address' },
  ])
})

it('lists many different reasons only up to a point', () => {
  const unserved = Array.from({ length: 100 }, (_, i) => ({
    service: `shop/s${i}`,
    reason: { code: 'AllocationFailed', message: `no ${i}` },
  }))
  const all = attention({ ...nothing, unserved })
  expect(all).toHaveLength(41)
  expect(all.at(-1)).toMatchObject({ title: '60 more Services have no address', count: 60 })
})

it('names Services that nobody announces, with the reason of most nodes', () => {
  expect(
    attention({
      ...nothing,
      unserved: [
        { service: 'shop/a', because: 'noEndpoints' },
        { service: 'shop/b', because: 'noEndpoints' },
        { service: 'shop/c', unselected: true },
      ],
    }),
  ).toMatchObject([
    {
      title: '2 Services are announced by nobody',
      detail: 'no endpoint of the Service can serve: shop/a, shop/b',
    },
    { title: 'shop/c is announced by nobody', detail: 'no advertisement selects the pool' },
  ])
})

it('tells of nodes, errors first', () => {
  expect(
    told({
      nodes: [
        node('absent', { liveness: 'absent' }),
        node('excluded', { liveness: 'absent', unfit: 'nodeLabeledExcludeBalancers' }),
        node('dead', { liveness: 'dead' }),
        node('suspect', { liveness: 'suspect' }),
        node('left', { liveness: 'left' }),
        node('deaf', { report: { ...report, health: 5 } }),
        node('alone', { report: { ...report, standing: 'isolated' } }),
        node('stale', { report: { ...report, configuration: 'stale' } }),
        node('broken', { report: { ...report, failures: ['arp: no permission'] } }),
      ],
    }),
  ).toEqual([
    ['error', 'dead is dead'],
    ['error', 'alone hears nobody'],
    ['error', 'broken cannot announce everything'],
    ['warning', 'suspect does not answer'],
    ['warning', 'deaf hears the others badly'],
    ['warning', 'stale refuses the configuration'],
    ['warning', 'absent has no speaker'],
  ])
})

it('tells of the API server, problems, conflicts, sessions and full pools', () => {
  const session = {
    peer: 'tor-1',
    at: '10.0.0.1',
    state: 'Active',
    since: '',
    routes: [1, 0, 1, 0],
    trouble: 'refused',
  } as const
  expect(
    told({
      source: { since: '2026-01-01T00:00:00Z', message: 'refused' },
      problems: [
        { severity: 'error', kind: 'IPAddressPool', name: 'p', field: 'spec.addresses', message: 'wrong' },
        { severity: 'warning', kind: 'BGPPeer', name: 'q', field: '', message: 'odd' },
      ],
      events: [
        {
          at: '2026-01-01T00:09:00Z',
          type: 'addressConflict',
          message: 'x uses 10.0.0.9',
          address: '10.0.0.9',
        },
        {
          at: '2025-12-31T00:09:00Z',
          type: 'addressConflict',
          message: 'y uses 10.0.0.8',
          address: '10.0.0.8',
        },
      ],
      sessions: [
        { node: 'a', ...session },
        { node: 'b', ...session },
        { node: 'c', ...session, state: 'Established' },
      ],
      pools: [
        { name: 'full', assignedIPv4: 4, availableIPv4: 0, assignedIPv6: 0, availableIPv6: 0 },
        { name: 'tight', assignedIPv4: 1, availableIPv4: 9, assignedIPv6: 95, availableIPv6: 5 },
      ],
    }),
  ).toEqual([
    ['error', 'The API server is out of reach'],
    ['error', 'IPAddressPool p'],
    ['error', 'Two stations use 10.0.0.9'],
    ['error', '2 sessions with tor-1 are down'],
    ['warning', 'BGPPeer q'],
    ['warning', 'Pool full is full'],
    ['warning', 'Pool tight is nearly full'],
  ])
})
