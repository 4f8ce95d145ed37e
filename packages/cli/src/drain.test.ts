import type { PlannedAnnouncement, ServiceStatus } from '@carillon/core'
import { expect, it } from 'vitest'
import { describeDrain, withoutNode } from './drain.ts'

const layer2 = (address: string, node: string): PlannedAnnouncement => ({
  protocol: 'layer2',
  address,
  node,
  interfaces: 'all',
})

const bgp = (prefix: string, node: string): PlannedAnnouncement => ({
  protocol: 'bgp',
  prefix,
  node,
  peer: 'tor',
  localPref: 0,
  communities: [],
})

const service = (
  name: string,
  addresses: readonly string[],
  announcements: readonly PlannedAnnouncement[],
  succession: readonly string[] = [],
): ServiceStatus => ({
  namespace: 'default',
  name,
  state: 'assigned',
  addresses,
  pool: 'p',
  reason: null,
  announcements,
  silent: [],
  owner: succession[0] ?? null,
  since: null,
  succession,
})

const drained = (...services: readonly ServiceStatus[]): ReturnType<typeof describeDrain> =>
  describeDrain('a', withoutNode('a', services))

it('an address goes to the next in line, and what other nodes hold stays', () => {
  const { addresses, orphans } = drained(
    service('mine', ['10.0.0.1'], [layer2('10.0.0.1', 'a')], ['a', 'c', 'b']),
    service('theirs', ['10.0.0.2'], [layer2('10.0.0.2', 'b')], ['b', 'a']),
  )
  expect(addresses).toEqual([
    { protocol: 'layer2', address: '10.0.0.1', services: ['default/mine'], to: 'c' },
  ])
  expect(orphans).toEqual([])
})

it('a route stays with the other nodes that announce it', () => {
  const { routes, orphans } = drained(
    service(
      'ecmp',
      ['10.0.0.1'],
      [bgp('10.0.0.1/32', 'a'), bgp('10.0.0.1/32', 'b'), bgp('10.0.0.1/32', 'c')],
    ),
    service('single', ['10.0.0.2'], [bgp('10.0.0.2/32', 'a')]),
  )
  expect(routes).toEqual([
    { protocol: 'bgp', prefix: '10.0.0.1/32', services: ['default/ecmp'], nodes: ['b', 'c'] },
    { protocol: 'bgp', prefix: '10.0.0.2/32', services: ['default/single'], nodes: [] },
  ])
  expect(orphans).toEqual([{ service: 'default/single', address: '10.0.0.2' }])
})

it('an address without an heir on layer 2 is no orphan while another node announces a prefix with it', () => {
  const both = [layer2('10.0.0.1', 'a'), bgp('10.0.0.0/24', 'b')]
  expect(drained(service('both', ['10.0.0.1'], both, ['a']))).toMatchObject({
    addresses: [{ to: null }],
    orphans: [],
  })
  const elsewhere = [layer2('10.0.0.1', 'a'), bgp('10.0.1.0/24', 'b')]
  expect(drained(service('both', ['10.0.0.1'], elsewhere, ['a'])).orphans).toHaveLength(1)
})

it('of two families one can be orphaned', () => {
  const { orphans } = drained(
    service(
      'dual',
      ['10.0.0.1', 'fd00::1'],
      [bgp('10.0.0.1/32', 'a'), bgp('fd00::1/128', 'a'), bgp('fd00::1/128', 'b')],
    ),
  )
  expect(orphans).toEqual([{ service: 'default/dual', address: '10.0.0.1' }])
})

it('an address that Services share moves as the Service says that was elected for', () => {
  const shared = ['10.0.0.1']
  const { addresses } = drained(
    service('guest', shared, [layer2('10.0.0.1', 'a')], ['b', 'a']),
    service('host', shared, [layer2('10.0.0.1', 'a')], ['a', 'c']),
  )
  expect(addresses).toEqual([
    { protocol: 'layer2', address: '10.0.0.1', services: ['default/guest', 'default/host'], to: 'c' },
  ])
})
