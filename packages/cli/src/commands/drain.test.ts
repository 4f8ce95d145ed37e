import type { ServiceStatus, SpeakerStatus } from '@carillon/core'
import { expect, it } from 'vitest'
import { drain } from './drain.ts'

const service = (name: string, address: string, more: Partial<ServiceStatus>): ServiceStatus => ({
  namespace: 'default',
  name,
  state: 'assigned',
  addresses: [address],
  pool: 'p',
  reason: null,
  announcements: [{ protocol: 'layer2', address, node: 'a', interfaces: 'all' }],
  silent: [],
  owner: 'a',
  since: null,
  succession: ['a'],
  ...more,
})

it('of a large cluster, whose status names owners alone, it asks Service by Service who would be next', async () => {
  const short = ['web', 'db', 'idle'].map((name, i) => service(name, `10.0.0.${i + 1}`, {}))
  const asked: (string | undefined)[] = []
  const ask = async (of?: string): Promise<SpeakerStatus> => {
    asked.push(of)
    const services =
      of === undefined
        ? [...short, service('unused', '10.0.0.9', { announcements: [], owner: null, succession: [] })]
        : short
            .filter(({ name }) => of === `default/${name}`)
            .map(one => ({
              ...one,
              succession: ['a', 'c', 'b'],
              silent: ['b', 'c'].map(node => ({ protocol: 'layer2', node, because: 'notOwner' }) as const),
            }))
    const members = ['a', 'b', 'c'].map(name => ({ name, address: '', liveness: 'alive' }))
    return { node: 'b', members, services } as unknown as SpeakerStatus
  }
  const out: string[] = []
  const terminal = { print: (text: string) => out.push(text), warn: () => {}, colour: false }
  const options = { ask, json: true, dryRun: true, standalone: false, ignoreExcludeLb: false }
  expect(await drain('a', options, terminal)).toBe(0)
  const { addresses } = JSON.parse(out.join('')) as { addresses: readonly { to: string }[] }
  expect(addresses.map(({ to }) => to)).toEqual(['c', 'c', 'c'])
  expect(asked.toSorted()).toEqual(['default/db', 'default/idle', 'default/web', undefined])
})
