import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tryParseAddress } from '../address.ts'
import type { Pool } from '../config/config.ts'
import { addressToNumber } from '../config/ranges.ts'
import type { Namespace, Service } from '../resources/index.ts'
import { dualStack, namespace, pool, type ServiceSketch, selector, service } from '../testing/sketch.ts'
import { type Allocation, Allocator, type Assignment } from './index.ts'
import { mayShare, sharingOf } from './sharing.ts'

interface World {
  services: readonly Service[]
  namespaces: readonly Namespace[]
  pools: readonly Pool[]
}

const poolSets: readonly (readonly Pool[])[] = [
  [pool('a', ['10.0.0.0-10.0.0.3', 'fd00::-fd00::2'])],
  [
    pool('a', ['10.0.0.0-10.0.0.3', 'fd00::-fd00::2']),
    pool('b', ['10.0.1.254-10.0.2.3'], { avoidBuggyIPs: true }),
  ],
  [pool('a', ['10.0.0.2-10.0.0.5']), pool('c', ['fd00::/120', '10.0.0.0/31'], { autoAssign: false })],
  [
    pool('a', ['10.0.0.0/29'], { rules: { priority: 20, namespaces: ['default'] } }),
    pool('b', ['10.0.1.0/30', 'fd00::/126'], {
      rules: { priority: 10, namespaceSelectors: [selector({ team: 'x' })] },
    }),
    pool('d', ['fd01::/64', '10.1.0.0/31'], { rules: { serviceSelectors: [selector({ app: 'web' })] } }),
    pool('e', ['10.2.0.0/32']),
  ],
  [],
]

const addresses = [
  '10.0.0.1',
  '10.0.0.3',
  '10.0.1.1',
  '10.0.2.1',
  '10.1.0.0',
  'fd00::1',
  'fd00::2',
  '10.9.9.9',
]

const some = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values)

const sketches: fc.Arbitrary<ServiceSketch> = fc.record(
  {
    namespace: some('default', 'other', 'a-b'),
    labels: some({}, { app: 'web' }),
    type: some('LoadBalancer', 'LoadBalancer', 'LoadBalancer', 'ClusterIP'),
    clusterIPs: some(['10.96.0.1'], ['fd00:96::1'], dualStack, dualStack, [], ['None']),
    families: some([], ['IPv4'], ['IPv6'], ['IPv4', 'IPv6']),
    policy: some('SingleStack', 'PreferDualStack', 'RequireDualStack'),
    ips: some(...addresses, '10.0.0.1,fd00::1', '10.0.0.2, fd00::2', 'nonsense'),
    pool: some('a', 'b', 'c', 'missing'),
    share: some('', 'k', 'k', 'l'),
    traffic: some('Cluster', 'Local'),
    selector: some({}, { app: 'one' }),
    ports: some([80], [443], [80, 443], ['UDP/80']),
    status: some(['10.0.0.1'], ['10.0.0.3'], ['10.0.0.2', 'fd00::1'], ['fd00::1'], ['10.0.1.255'], ['junk']),
  },
  { requiredKeys: [] },
)

type Edit = (world: World) => World

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
const sameName = (a: Service, b: Service): boolean =>
  a.metadata.name === b.metadata.name && a.metadata.namespace === b.metadata.namespace

const put: fc.Arbitrary<Edit> = fc.tuple(some(...names), sketches).map(([name, sketch]) => world => {
  const made = service(name, sketch)
  const services = world.services.filter(one => !sameName(one, made))
  const at = services.findIndex(one => one.metadata.name > name)
  return { ...world, services: services.toSpliced(at < 0 ? services.length : at, 0, made) }
})
const remove: fc.Arbitrary<Edit> = fc.nat(20).map(n => world => ({
  ...world,
  services: world.services.filter((_, i) => i !== n % (world.services.length + 1)),
}))
const repool: fc.Arbitrary<Edit> = some(...poolSets).map(pools => world => ({ ...world, pools }))
const rename: fc.Arbitrary<Edit> = fc
  .tuple(some('default', 'other'), some('x', 'y'))
  .map(([name, team]) => world => ({
    ...world,
    namespaces: [...world.namespaces.filter(one => one.metadata.name !== name), namespace(name, { team })],
  }))
const edits = fc.array(
  fc.array(
    fc.oneof(
      { arbitrary: put, weight: 8 },
      { arbitrary: remove, weight: 3 },
      { arbitrary: repool, weight: 1 },
      { arbitrary: rename, weight: 1 },
    ),
    {
      minLength: 1,
      maxLength: 4,
    },
  ),
  { minLength: 1, maxLength: 14 },
)

const start: World = {
  services: [],
  namespaces: [namespace('default', { team: 'x' })],
  pools: poolSets[1] as readonly Pool[],
}
const runs = { numRuns: 150 }

/** Lives through all the edits and looks at every state. */
function live(
  history: readonly (readonly Edit[])[],
  allocator: Allocator,
  look: (world: World, now: Allocation) => void,
): void {
  let world = start
  for (const batch of history) {
    for (const edit of batch) world = edit(world)
    const { services, namespaces, pools } = world
    look(world, allocator.update({ services, namespaces, config: { pools } }))
  }
}

const holders = ({ services }: World, now: Allocation): ReadonlyMap<string, readonly Service[]> => {
  const map = new Map<string, Service[]>()
  for (const one of services) {
    const { addresses } = now.services.get(`${one.metadata.namespace}/${one.metadata.name}`) as Assignment
    for (const address of addresses) map.set(address, [...(map.get(address) ?? []), one])
  }
  return map
}

const within = (address: string, { ranges, avoidBuggyIPs }: Pool): boolean => {
  const bytes = tryParseAddress(address) as Uint8Array
  const value = addressToNumber(bytes)
  const family = bytes.length === 4 ? 4 : 6
  if (avoidBuggyIPs && family === 4 && [0n, 255n].includes(value & 255n)) return false
  return ranges.some(range => range.family === family && range.first <= value && value <= range.last)
}

describe.each([{ standalone: false }, { standalone: true }])('an allocation after any edits, %o', options => {
  it('gives no address to two Services that may not share it', () => {
    fc.assert(
      fc.property(edits, history => {
        live(history, new Allocator(options), (world, now) => {
          for (const [, users] of holders(world, now)) {
            for (const [i, one] of users.entries()) {
              for (const other of users.slice(i + 1))
                expect(mayShare(sharingOf(one), sharingOf(other))).toBe(true)
            }
          }
        })
      }),
      runs,
    )
  })

  it('keeps every address inside the pool it names, and at most one of each family', () => {
    fc.assert(
      fc.property(edits, history => {
        live(history, new Allocator(options), (world, now) => {
          expect(now.services.size).toBe(world.services.length)
          for (const { state, addresses: given, pool: name, reason } of now.services.values()) {
            expect(given.length > 0).toBe(state === 'assigned')
            if (state !== 'assigned') expect(reason?.message).toMatch(/\w/)
            expect(new Set(given.map(address => address.includes(':'))).size).toBe(given.length)
            const home = world.pools.find(one => one.name === name)
            for (const address of given) expect(home && within(address, home)).toBe(true)
          }
        })
      }),
      runs,
    )
  })

  it('counts what a recount counts', () => {
    fc.assert(
      fc.property(edits, history => {
        live(history, new Allocator(options), (world, now) => {
          const used = [...holders(world, now).keys()]
          expect(now.pools.map(({ name }) => name)).toEqual(world.pools.map(({ name }) => name))
          for (const [i, usage] of now.pools.entries()) {
            const home = world.pools[i] as Pool
            const mine = used.filter(address => within(address, home))
            expect(usage.assignedIPv4).toBe(mine.filter(address => !address.includes(':')).length)
            expect(usage.assignedIPv6).toBe(mine.filter(address => address.includes(':')).length)
            let v4 = 0
            for (const { family, first, last } of home.ranges) {
              if (family === 6) continue
              for (let n = first; n <= last; n++)
                if (!home.avoidBuggyIPs || ![0n, 255n].includes(n & 255n)) v4++
            }
            expect(usage.availableIPv4 + usage.assignedIPv4).toBe(v4)
          }
        })
      }),
      runs,
    )
  })

  it('tells exactly which assignments changed', () => {
    fc.assert(
      fc.property(edits, history => {
        let before = new Map<string, Assignment>()
        live(history, new Allocator(options), (_world, now) => {
          const keys = new Set([...before.keys(), ...now.services.keys()])
          const differ = [...keys].filter(
            key => JSON.stringify(before.get(key)) !== JSON.stringify(now.services.get(key)),
          )
          expect([...now.changed].sort()).toEqual(differ.sort())
          before = new Map(now.services)
        })
      }),
      runs,
    )
  })

  it('comes out the same when the same happens again', () => {
    fc.assert(
      fc.property(edits, history => {
        const seen: string[] = []
        live(history, new Allocator(options), (_world, now) => seen.push(JSON.stringify([...now.services])))
        live(history, new Allocator(options), (_world, now) =>
          expect(JSON.stringify([...now.services])).toBe(seen.shift()),
        )
      }),
      { numRuns: 50 },
    )
  })
})

describe('standalone', () => {
  it('finds what a fresh allocator finds, whatever it has seen before', () => {
    fc.assert(
      fc.property(edits, history => {
        live(history, new Allocator({ standalone: true }), ({ services, namespaces, pools }, now) => {
          const fresh = new Allocator({ standalone: true }).update({
            services: services.toReversed(),
            namespaces,
            config: { pools },
          })
          expect(Object.fromEntries(now.services)).toEqual(Object.fromEntries(fresh.services))
          expect(now.pools).toEqual(fresh.pools)
        })
      }),
      { numRuns: 500 },
    )
  })
})

describe('with Kubernetes', () => {
  it('does not move a Service when others come, go and change', () => {
    fc.assert(
      fc.property(edits, history => {
        let before = start
        const had = new Map<string, Assignment>()
        live(history, new Allocator(), (world, now) => {
          const same = before.pools === world.pools && before.namespaces === world.namespaces
          for (const one of same ? world.services : []) {
            const key = `${one.metadata.namespace}/${one.metadata.name}`
            const was = had.get(key)
            const is = now.services.get(key) as Assignment
            if (!before.services.includes(one) || was?.state !== 'assigned') continue
            // What it asks for may come free; otherwise it stays where it is, and at most gains an address.
            if (was.reason) expect(is.state).toBe('assigned')
            else expect(is.addresses.slice(0, was.addresses.length)).toEqual(was.addresses)
          }
          before = world
          had.clear()
          for (const [key, assignment] of now.services) had.set(key, assignment)
        })
      }),
      runs,
    )
  })

  it('loses no address over a request that is refused', () => {
    fc.assert(
      fc.property(
        edits,
        some(...addresses, 'nonsense', '10.0.0.1,fd00::1'),
        some('a', 'b', 'c', 'missing', undefined),
        (history, ips, wish) => {
          const allocator = new Allocator()
          let world = start
          live(history, allocator, last => {
            world = last
          })
          const { services, namespaces, pools } = world
          const before = new Map(allocator.update({ services, namespaces, config: { pools } }).services)
          for (const one of services) {
            const key = `${one.metadata.namespace}/${one.metadata.name}`
            const was = before.get(key) as Assignment
            const annotations = {
              ...one.metadata.annotations,
              'metallb.io/loadBalancerIPs': ips,
              ...(wish === undefined ? {} : { 'metallb.io/address-pool': wish }),
            }
            const asks = { ...one, metadata: { ...one.metadata, annotations } }
            const after = allocator.update({
              services: services.map(other => (other === one ? asks : other)),
              namespaces,
              config: { pools },
            })
            const is = after.services.get(key) as Assignment
            if (was.state === 'assigned') expect(is.state).toBe('assigned')
            if (was.state === 'assigned' && is.reason) expect(is.addresses).toEqual(was.addresses)
            allocator.update({ services, namespaces, config: { pools } })
            break
          }
        },
      ),
      runs,
    )
  })

  it('finds everything again after a restart from what the statuses say', () => {
    fc.assert(
      fc.property(edits, history => {
        live(history, new Allocator(), ({ services, namespaces, pools }, now) => {
          const published = services.map(one => ({
            ...one,
            status: {
              loadBalancer: {
                ingress: (
                  now.services.get(`${one.metadata.namespace}/${one.metadata.name}`) as Assignment
                ).addresses.map(ip => ({ ip })),
              },
            },
          }))
          const again = new Allocator().update({ services: published, namespaces, config: { pools } })
          for (const [key, { state, addresses }] of now.services) {
            if (state === 'assigned') expect(again.services.get(key)?.addresses).toEqual(addresses)
          }
        })
      }),
      runs,
    )
  })
})
