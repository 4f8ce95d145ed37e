import { describe, expect, it } from 'vitest'
import type { Pool } from '../config/config.ts'
import type { Namespace, Service } from '../resources/index.ts'
import { dualStack, namespace, pool, type ServiceSketch, selector, service } from '../testing/sketch.ts'
import { Allocator, type AllocatorOptions, type Assignment } from './index.ts'

/** A cluster whose Services, pools and namespaces a test changes one by one. */
class Cluster {
  readonly #allocator: Allocator
  readonly #services = new Map<string, Service>()
  #pools: readonly Pool[]
  #namespaces: readonly Namespace[] = [namespace('default'), namespace('shop', { team: 'shop' })]
  /** Names of the Services whose assignment the last change touched. */
  changed: readonly string[] = []

  constructor(pools: readonly Pool[], options: AllocatorOptions = {}) {
    this.#pools = pools
    this.#allocator = new Allocator(options)
  }

  #update() {
    const allocation = this.#allocator.update({
      services: [...this.#services.values()],
      namespaces: this.#namespaces,
      config: { pools: this.#pools },
    })
    this.changed = allocation.changed.map(key => key.replace(/^default\//, ''))
    return allocation
  }

  /** Puts Services in, all in one update. */
  put(sketches: Readonly<Record<string, ServiceSketch>>): this {
    for (const [name, sketch] of Object.entries(sketches)) this.#services.set(name, service(name, sketch))
    this.#update()
    return this
  }

  remove(name: string): this {
    this.#services.delete(name)
    this.#update()
    return this
  }

  pools(...pools: readonly Pool[]): this {
    this.#pools = pools
    this.#update()
    return this
  }

  namespaces(...namespaces: readonly Namespace[]): this {
    this.#namespaces = namespaces
    this.#update()
    return this
  }

  of(name: string): Assignment {
    const one = this.#services.get(name) as Service
    return this.#update().services.get(`${one.metadata.namespace}/${name}`) as Assignment
  }

  /** Addresses as one text; empty while pending. */
  at(name: string): string {
    return this.of(name).addresses.join(' ')
  }

  why(name: string): string {
    const { reason } = this.of(name)
    return reason ? `${reason.code}: ${reason.message}` : ''
  }

  get usage() {
    return this.#update().pools
  }
}

const first = pool('first', ['192.168.1.240/28'])
const second = pool('second', ['192.168.2.0/28'])
const both = pool('both', ['10.1.0.0/28', 'fd01::/124'])
const four = pool('four', ['10.4.0.0/28'])
const six = pool('six', ['fd06::/124'])
const one = (name: string, address: string): Pool => pool(name, [`${address}/32`])
const dual = (sketch: ServiceSketch = {}): ServiceSketch => ({
  clusterIPs: dualStack,
  policy: 'RequireDualStack',
  ...sketch,
})
const prefer = (sketch: ServiceSketch = {}): ServiceSketch => dual({ policy: 'PreferDualStack', ...sketch })

describe('a Service that asks for nothing in particular', () => {
  it('gets the first address of the first pool, and the pool counts it', () => {
    const cluster = new Cluster([first]).put({ web: {} })
    expect(cluster.of('web')).toEqual({
      state: 'assigned',
      addresses: ['192.168.1.240'],
      pool: 'first',
      publish: 'addresses',
    })
    expect(cluster.usage).toEqual([
      { name: 'first', assignedIPv4: 1, assignedIPv6: 0, availableIPv4: 15, availableIPv6: 0 },
    ])
  })

  it('gets the lowest free address, also one that was given back a moment ago', () => {
    const cluster = new Cluster([first])
      .put({ a: {} })
      .put({ b: {} })
      .put({ c: {} })
      .remove('b')
      .put({ d: {} })
    expect(cluster.at('d')).toBe('192.168.1.241')
    expect(cluster.at('c')).toBe('192.168.1.242')
  })

  it('walks the entries of a pool in the order in which they are written', () => {
    const cluster = new Cluster([pool('p', ['10.0.9.0/32', '10.0.1.7-10.0.1.8'])]).put({
      a: {},
      b: {},
      c: {},
    })
    expect([cluster.at('a'), cluster.at('b'), cluster.at('c')]).toEqual(['10.0.9.0', '10.0.1.7', '10.0.1.8'])
  })

  it('takes pools of equal rank in name order, as long as they may be handed out', () => {
    const pools = [
      pool('a', ['10.0.0.0/32'], { autoAssign: false }),
      one('b', '10.0.1.0'),
      one('c', '10.0.2.0'),
    ]
    const cluster = new Cluster(pools).put({ x: {}, y: {} })
    expect([cluster.of('x').pool, cluster.of('y').pool]).toEqual(['b', 'c'])
  })

  it('looks in pools made for it first: low priorities first, priority 0 last, then those for everybody', () => {
    const ruled = (name: string, n: number, priority: number) =>
      pool(name, [`10.0.${n}.0/32`], { rules: { priority, namespaces: ['default'] } })
    const pools = [
      one('a', '10.0.0.0'),
      ruled('b', 1, 0),
      ruled('c', 2, 50),
      ruled('d', 3, 10),
      ruled('e', 4, 0),
    ]
    const cluster = new Cluster(pools).put({ s1: {}, s2: {}, s3: {}, s4: {}, s5: {} })
    expect(['s1', 's2', 's3', 's4', 's5'].map(name => cluster.of(name).pool)).toEqual([
      'd',
      'c',
      'b',
      'e',
      'a',
    ])
  })

  it('never falls back to a pool whose rules refuse it, and hears which rule', () => {
    const cluster = new Cluster([
      pool('p', ['10.0.0.0/24'], { rules: { namespaces: ['shop'] } }),
      pool('q', ['10.0.1.0/24'], { rules: { serviceSelectors: [selector({ tier: 'gold' })] } }),
      pool('r', ['10.0.2.0/24'], { autoAssign: false }),
    ]).put({ web: {} })
    expect(cluster.of('web').state).toBe('pending')
    const why = cluster.why('web')
    expect(why).toMatch(/^AllocationFailed/)
    expect(why).toContain('pool "p" does not admit namespace "default" (it admits namespaces: shop)')
    expect(why).toContain('its serviceSelectors: tier=gold')
    expect(why).toContain('pool "r" serves only Services that ask for it (autoAssign: false)')
  })

  it('waits while all is full, hears how full, and is served as soon as an address is free', () => {
    const cluster = new Cluster([one('p', '10.0.0.1')]).put({ a: {} }).put({ c: {} }).put({ b: {} })
    expect(cluster.why('b')).toContain('pool "p" has no IPv4 address left (its only one is in use)')
    cluster.remove('a')
    expect([cluster.at('b'), cluster.at('c')]).toEqual(['10.0.0.1', ''])
    expect(cluster.changed).toEqual([])
  })

  it('is admitted by a namespaceSelector only through a Namespace that matches', () => {
    const cluster = new Cluster([
      pool('p', ['10.0.0.0/24'], { rules: { namespaceSelectors: [selector({ team: 'shop' })] } }),
    ]).put({ web: {}, till: { namespace: 'shop' }, lost: { namespace: 'nowhere' } })
    expect(cluster.at('till')).toBe('10.0.0.0')
    expect(cluster.at('web')).toBe('')
    expect(cluster.why('lost')).toContain('no such Namespace object')
  })

  it('is refused by a namespaceSelector that matches nothing, even when it asks for the pool by name', () => {
    const rules = { namespaceSelectors: [selector({ team: 'nobody' })] }
    const cluster = new Cluster([pool('p', ['10.0.0.0/24'], { rules })]).put({
      web: { pool: 'p' },
      api: { ips: '10.0.0.7' },
    })
    expect(cluster.why('web')).toMatch(
      /^AllocationFailed: the requested pool cannot be used: pool "p" does not admit/,
    )
    expect(cluster.why('api')).toMatch(
      /^AllocationFailed: the requested address 10.0.0.7 cannot be given: pool "p"/,
    )
  })
})

describe('avoidBuggyIPs', () => {
  it('leaves out addresses that end in .0 and .255, and does not count them', () => {
    const cluster = new Cluster([pool('p', ['10.0.0.254-10.0.1.1'], { avoidBuggyIPs: true })]).put({
      a: {},
      b: {},
      c: {},
    })
    expect([cluster.at('a'), cluster.at('b'), cluster.at('c')]).toEqual(['10.0.0.254', '10.0.1.1', ''])
    expect(cluster.usage[0]).toMatchObject({ assignedIPv4: 2, availableIPv4: 0 })
  })

  it('subtracts two addresses for each /24, and the edge of a smaller block', () => {
    const cluster = new Cluster([
      pool('p', ['10.0.0.0/22'], { avoidBuggyIPs: true }),
      pool('q', ['10.1.0.0/25', 'fd00::/120'], { avoidBuggyIPs: true }),
    ])
    expect(cluster.usage.map(({ availableIPv4 }) => availableIPv4)).toEqual([4 * 254, 127])
    expect(cluster.usage[1]?.availableIPv6).toBe(256)
  })

  it('refuses such an address to a Service that asks for it', () => {
    const cluster = new Cluster([pool('p', ['10.0.0.0/24'], { avoidBuggyIPs: true })]).put({
      a: { ips: '10.0.0.255' },
    })
    expect(cluster.why('a')).toMatch(
      /^AllocationFailed: pool "p" does not hand out 10.0.0.255 because of avoidBuggyIPs/,
    )
  })
})

describe('figures', () => {
  it('stay right for IPv6 blocks of any size, capped at 2^53-1', () => {
    const cluster = new Cluster([
      pool('p', ['fd00::/64', 'fd01::/8', 'fe00::/66']),
      pool('q', ['fc00::/112']),
    ]).put({
      deep: { clusterIPs: ['fd00:96::1'], ips: 'fd42::9999:9999:9999' },
    })
    expect(cluster.at('deep')).toBe('fd42::9999:9999:9999')
    expect(cluster.usage[0]).toMatchObject({ assignedIPv6: 1, availableIPv6: Number.MAX_SAFE_INTEGER })
    expect(cluster.usage[1]?.availableIPv6).toBe(65536)
  })
})

describe('a Service that asks for an address', () => {
  it.each([
    ['the annotation', { ips: '192.168.1.250' }],
    [
      'the deprecated annotation',
      { annotations: { 'metallb.universe.tf/loadBalancerIPs': '192.168.1.250' } },
    ],
    ['spec.loadBalancerIP', { ip: '192.168.1.250' }],
  ])('gets it, by %s', (_how, sketch) => {
    expect(new Cluster([first]).put({ web: sketch }).at('web')).toBe('192.168.1.250')
  })

  it('may ask in a pool that is not handed out by itself', () => {
    const cluster = new Cluster([pool('p', ['10.0.0.0/24'], { autoAssign: false })])
    expect(cluster.put({ web: { ips: '10.0.0.9' }, api: { pool: 'p' } }).at('web')).toBe('10.0.0.9')
    expect(cluster.at('api')).toBe('10.0.0.0')
  })

  it('counts an empty annotation as none, and the present prefix before the deprecated one', () => {
    const annotations = {
      'metallb.io/loadBalancerIPs': '',
      'metallb.universe.tf/loadBalancerIPs': '192.168.1.250',
    }
    expect(new Cluster([first]).put({ web: { annotations } }).at('web')).toBe('192.168.1.240')
  })

  it.each([
    [
      'both ways at once',
      { ips: '192.168.1.250', ip: '192.168.1.250' },
      'both spec.loadBalancerIP and the annotation',
    ],
    ['what is no address', { ips: '192.168.1.250, web' }, '"web" is not an IP address'],
    ['two of one family', { ips: '192.168.1.250,192.168.1.251' }, 'asks for two IPv4 addresses'],
    ['three', { ips: '192.168.1.250,fd00::1,fd00::2' }, 'asks for 3 addresses'],
  ])('hears LoadBalancerFailed when it asks for %s', (_what, sketch, message) => {
    const cluster = new Cluster([first]).put({ web: sketch })
    expect(cluster.of('web').state).toBe('pending')
    expect(cluster.why('web')).toMatch(/^LoadBalancerFailed: /)
    expect(cluster.why('web')).toContain(message)
  })

  it.each([
    ['in no pool', { ips: '10.9.9.9' }, 'the requested address 10.9.9.9 is in no IPAddressPool'],
    [
      'in another pool than it names',
      { ips: '192.168.1.250', pool: 'second' },
      'is in pool "first", but the Service asks for pool "second"',
    ],
    ['in a pool that does not exist', { pool: 'third' }, 'there is no IPAddressPool "third"'],
  ])('hears AllocationFailed when it is %s', (_what, sketch, message) => {
    const cluster = new Cluster([first, second]).put({ web: sketch })
    expect(cluster.why('web')).toMatch(/^AllocationFailed: /)
    expect(cluster.why('web')).toContain(message)
  })

  it('hears who has the address, and gets it when that one goes', () => {
    const cluster = new Cluster([first]).put({ a: {} }).put({ b: { ips: '192.168.1.240' } })
    expect(cluster.why('b')).toMatch(
      /^AllocationFailed: 192.168.1.240 is in use by Service default\/a: ask for another/,
    )
    expect(cluster.remove('a').at('b')).toBe('192.168.1.240')
  })

  it('hears FamilyMismatch when the address is not of its family', () => {
    const cluster = new Cluster([both]).put({
      a: { ips: 'fd01::1' },
      b: prefer({ ips: '10.1.0.1' }),
      c: { ips: '10.1.0.1,fd01::1' },
    })
    for (const name of ['a', 'b', 'c']) expect(cluster.why(name)).toMatch(/^FamilyMismatch: /)
  })

  it('may ask for two addresses of one pool, not of two', () => {
    const cluster = new Cluster([four, both, six]).put({
      a: dual({ ips: 'fd01::9, 10.1.0.9' }),
      b: dual({ ips: '10.4.0.1,fd06::1' }),
    })
    expect(cluster.of('a')).toMatchObject({ addresses: ['fd01::9', '10.1.0.9'], pool: 'both' })
    expect(cluster.why('b')).toContain('10.4.0.1 in "four" and fd06::1 in "six"')
  })
})

describe('dual stack', () => {
  it('gives RequireDualStack both families from one pool, IPv4 first, or nothing', () => {
    const cluster = new Cluster([both, four, six]).put({ a: dual() })
    expect(cluster.at('a')).toBe('10.1.0.0 fd01::')
    const apart = new Cluster([four, six]).put({ a: dual() })
    expect(apart.of('a').state).toBe('pending')
    expect(apart.why('a')).toContain('pool "four" has no IPv6 addresses; pool "six" has no IPv4 addresses')
  })

  it('treats two cluster IPs without a policy as a requirement', () => {
    expect(new Cluster([four]).put({ a: { clusterIPs: dualStack } }).of('a').state).toBe('pending')
  })

  it('gives PreferDualStack a pair where one pool has it, though a pool before has one family', () => {
    expect(new Cluster([both, pool('a', ['10.0.0.0/24'])]).put({ x: prefer() }).at('x')).toBe(
      '10.1.0.0 fd01::',
    )
    expect(new Cluster([pool('a', ['10.0.0.0/24']), both]).put({ x: prefer() }).at('x')).toBe(
      '10.1.0.0 fd01::',
    )
  })

  it('gives PreferDualStack the primary family where there is no pair, else the other', () => {
    expect(new Cluster([six, four]).put({ x: prefer() }).at('x')).toBe('10.4.0.0')
    expect(new Cluster([four, six]).put({ x: prefer({ families: ['IPv6', 'IPv4'] }) }).at('x')).toBe('fd06::')
    expect(new Cluster([six]).put({ x: prefer() }).at('x')).toBe('fd06::')
  })

  it('completes PreferDualStack from its own pool when an address comes free there', () => {
    const pools = [pool('p', ['10.0.0.0/24', 'fd00::1-fd00::1'])]
    const cluster = new Cluster(pools).put({ a: { clusterIPs: ['fd00:96::1'] } }).put({ b: prefer() })
    expect(cluster.of('b')).toMatchObject({ addresses: ['10.0.0.0'] })
    expect(cluster.why('b')).toBe('')
    expect(cluster.remove('a').at('b')).toBe('10.0.0.0 fd00::1')
  })

  it('does not complete PreferDualStack on one cluster IP', () => {
    const cluster = new Cluster([both]).put({ a: prefer({ clusterIPs: ['10.96.0.1'] }) })
    expect(cluster.at('a')).toBe('10.1.0.0')
    expect(cluster.put({ b: {} }).at('a')).toBe('10.1.0.0')
  })

  it('says NotEnoughClusterIPs for RequireDualStack with one cluster IP, NoClusterIPs with none', () => {
    const cluster = new Cluster([both]).put({
      a: dual({ clusterIPs: ['10.96.0.1'] }),
      b: { clusterIPs: [] },
      c: { clusterIPs: ['None'] },
    })
    expect(cluster.why('a')).toMatch(/^NotEnoughClusterIPs: /)
    expect(cluster.why('b')).toMatch(/^NoClusterIPs: /)
    expect(cluster.why('c')).toMatch(/^NoClusterIPs: the Service is headless/)
  })

  it('keeps the address of the family that stays when a Service gains or loses a family', () => {
    const cluster = new Cluster([both]).put({ a: {} }).put({ b: {} }).remove('a').put({ b: dual() })
    expect(cluster.at('b')).toBe('10.1.0.1 fd01::')
    expect(cluster.put({ b: { clusterIPs: ['fd00:96::1'] } }).at('b')).toBe('fd01::')
  })
})

describe('sharing an address', () => {
  const shared = (sketch: ServiceSketch = {}): ServiceSketch => ({
    share: 'key',
    ips: '192.168.1.250',
    ...sketch,
  })

  it('takes the same key, other ports and the same traffic policy, in any namespace', () => {
    const cluster = new Cluster([first]).put({
      a: shared(),
      b: shared({ ports: [443], namespace: 'shop' }),
      c: shared({ ports: ['UDP/80'] }),
    })
    for (const name of ['a', 'b', 'c']) expect(cluster.at(name)).toBe('192.168.1.250')
    expect(cluster.usage[0]?.assignedIPv4).toBe(1)
  })

  it.each([
    ['no key', { share: '', ports: [443] }, 'give this Service the same metallb.io/allow-shared-ip'],
    ['another key', { share: 'other', ports: [443] }, 'which shares it as "key" and not as "other"'],
    ['a port that is taken', { ports: [443, 80] }, 'with the same port TCP/80'],
    ['the other traffic policy', { ports: [443], traffic: 'Local' as const }, 'leads to other Pods'],
    [
      'the policy Local without selector',
      { ports: [443], traffic: 'Local' as const, selector: {} },
      'leads to other Pods',
    ],
  ])('is refused with %s', (_what, sketch, message) => {
    const cluster = new Cluster([first]).put({ a: shared() }).put({ b: shared(sketch) })
    expect(cluster.of('b').state).toBe('pending')
    expect(cluster.why('b')).toContain('192.168.1.250 is in use by Service default/a')
    expect(cluster.why('b')).toContain(message)
  })

  it('works between Local Services with the same selector only', () => {
    const local = (app: string, port: number) =>
      shared({ traffic: 'Local', selector: { app }, ports: [port] })
    const cluster = new Cluster([first]).put({ a: local('x', 1), b: local('x', 2), c: local('y', 3) })
    expect([cluster.at('a'), cluster.at('b'), cluster.at('c')]).toEqual([
      '192.168.1.250',
      '192.168.1.250',
      '',
    ])
  })

  it('happens by itself where the shared address is the first in the pool, and a lower free one wins', () => {
    const cluster = new Cluster([first]).put({ a: { share: 'k' } }).put({ b: { share: 'k', ports: [443] } })
    expect(cluster.at('b')).toBe('192.168.1.240')
    cluster.put({ c: {} }).put({ d: shared({ share: 'l', ips: '192.168.1.250' }) })
    expect(cluster.put({ e: { share: 'l', ports: [443] } }).at('e')).toBe('192.168.1.242')
  })

  it('ends with a new address at once for a Service whose ports, key or policy come to stand against it', () => {
    const changes: readonly ServiceSketch[] = [
      { share: 'k', ports: [80] },
      { share: 'other', ports: [443] },
      { ports: [443] },
      { share: 'k', ports: [443], traffic: 'Local' },
    ]
    for (const change of changes) {
      const cluster = new Cluster([first]).put({ a: { share: 'k' } }).put({ b: { share: 'k', ports: [443] } })
      expect(cluster.at('b')).toBe('192.168.1.240')
      cluster.put({ b: change })
      expect([cluster.at('a'), cluster.at('b')]).toEqual(['192.168.1.240', '192.168.1.241'])
    }
  })

  it('leaves a sole user its address whatever it changes', () => {
    const cluster = new Cluster([first])
      .put({ gone: {} })
      .put({ a: { share: 'k' } })
      .remove('gone')
    for (const change of [{ share: 'l' }, { ports: [443] }, { traffic: 'Local' as const }, {}]) {
      expect(cluster.put({ a: change }).at('a')).toBe('192.168.1.241')
    }
  })

  it('goes on for Services that change their key together', () => {
    const cluster = new Cluster([first]).put({ a: { share: 'k' } }).put({ b: { share: 'k', ports: [443] } })
    cluster.put({ a: { share: 'l' }, b: { share: 'l', ports: [443] } })
    expect([cluster.at('a'), cluster.at('b')]).toEqual(['192.168.1.240', '192.168.1.240'])
    expect(cluster.put({ c: { share: 'l', ports: [22] } }).at('c')).toBe('192.168.1.240')
    expect(cluster.put({ d: { share: 'k', ports: [22] } }).at('d')).toBe('192.168.1.241')
  })

  it('opens up when the holder of a port gives it up', () => {
    const cluster = new Cluster([first]).put({ a: shared() }).put({ b: shared() })
    expect(cluster.of('b').state).toBe('pending')
    expect(cluster.put({ a: shared({ ports: [443] }) }).at('b')).toBe('192.168.1.250')
  })
})

describe('a change', () => {
  it('of the requested address moves the Service when the new one can be had', () => {
    const cluster = new Cluster([first])
      .put({ a: { ips: '192.168.1.250' } })
      .put({ a: { ips: '192.168.1.251' } })
    expect(cluster.at('a')).toBe('192.168.1.251')
    expect(cluster.usage[0]?.assignedIPv4).toBe(1)
  })

  it('of the request that is refused costs nothing: the Service keeps what it had and hears why', () => {
    const cluster = new Cluster([first, second]).put({ a: {}, b: {} })
    for (const request of [
      { ips: '192.168.1.240' },
      { ips: 'junk' },
      { ips: '10.9.9.9' },
      { pool: 'third' },
      { ips: 'fd00::1' },
    ]) {
      cluster.put({ b: request })
      expect(cluster.of('b')).toMatchObject({
        state: 'assigned',
        addresses: ['192.168.1.241'],
        pool: 'first',
        publish: 'addresses',
      })
      expect(cluster.why('b')).toContain('it keeps 192.168.1.241')
    }
    expect(
      cluster
        .put({ b: { ips: '192.168.1.240' } })
        .remove('a')
        .at('b'),
    ).toBe('192.168.1.240')
    expect(cluster.why('b')).toBe('')
  })

  it('of the requested pool moves the Service there, and removing a request keeps the address', () => {
    const cluster = new Cluster([first, second]).put({ a: {} }).put({ a: { pool: 'second' } })
    expect(cluster.at('a')).toBe('192.168.2.0')
    expect(cluster.put({ a: {} }).at('a')).toBe('192.168.2.0')
    expect(
      cluster
        .put({ a: { ips: '192.168.2.9' } })
        .put({ a: {} })
        .at('a'),
    ).toBe('192.168.2.9')
  })

  it('to a full pool leaves the Service where it is until there is room', () => {
    const cluster = new Cluster([first, one('tiny', '10.0.0.1')]).put({ a: { pool: 'tiny' }, b: {} })
    expect(cluster.put({ b: { pool: 'tiny' } }).at('b')).toBe('192.168.1.240')
    expect(cluster.why('b')).toContain('pool "tiny" has no IPv4 address left')
    expect(cluster.remove('a').at('b')).toBe('10.0.0.1')
  })

  it('of the type frees the address for those who wait, and the status is to be cleared', () => {
    const cluster = new Cluster([one('p', '10.0.0.1')])
      .put({ a: {} })
      .put({ b: {} })
      .put({ a: { type: 'ClusterIP' } })
    expect(cluster.changed).toEqual(['a', 'b'])
    expect(cluster.of('a')).toMatchObject({
      state: 'ignored',
      publish: 'nothing',
      reason: { code: 'notLoadBalancer' },
    })
    expect(cluster.at('b')).toBe('10.0.0.1')
  })

  it('of namespace or Service labels takes the address away when the rules refuse it now', () => {
    const cluster = new Cluster([
      pool('p', ['10.0.0.0/24'], { rules: { namespaceSelectors: [selector({ team: 'shop' })] } }),
      pool('q', ['10.0.1.0/24'], { rules: { serviceSelectors: [selector({ tier: 'gold' })] } }),
    ]).put({ till: { namespace: 'shop' }, ad: { labels: { tier: 'gold' } } })
    expect([cluster.at('till'), cluster.at('ad')]).toEqual(['10.0.0.0', '10.0.1.0'])
    cluster.namespaces(namespace('default'), namespace('shop', { team: 'other' }))
    expect(cluster.of('till').state).toBe('pending')
    expect(cluster.put({ ad: { labels: { tier: 'tin' } } }).of('ad').state).toBe('pending')
    cluster.namespaces(namespace('default'), namespace('shop', { team: 'shop' }))
    expect(cluster.at('till')).toBe('10.0.0.0')
  })

  it('of a pool moves those that it no longer holds, and nobody else', () => {
    const cluster = new Cluster([first, second]).put({ a: {}, b: {} })
    cluster.pools(pool('first', ['192.168.1.241/32']), second)
    expect(cluster.changed).toEqual(['a'])
    expect([cluster.at('a'), cluster.at('b')]).toEqual(['192.168.2.0', '192.168.1.241'])
  })

  it('of the name of a pool alone keeps the addresses', () => {
    const cluster = new Cluster([first])
      .put({ b: {} })
      .put({ a: {} })
      .pools(pool('renamed', ['192.168.1.240/28']))
    expect(cluster.of('a')).toMatchObject({ addresses: ['192.168.1.241'], pool: 'renamed' })
    expect(cluster.of('b')).toMatchObject({ addresses: ['192.168.1.240'], pool: 'renamed' })
  })

  it('to avoidBuggyIPs gives holders of .0 and .255 another address', () => {
    const cluster = new Cluster([pool('p', ['10.0.0.0/24'])]).put({ a: {}, b: {} })
    cluster.pools(pool('p', ['10.0.0.0/24'], { avoidBuggyIPs: true }))
    expect([cluster.at('a'), cluster.at('b')]).toEqual(['10.0.0.2', '10.0.0.1'])
  })

  it('of priority, autoAssign or rules that still admit moves nobody', () => {
    const cluster = new Cluster([first, second]).put({ a: {} })
    cluster.pools(
      pool('first', ['192.168.1.240/28'], { autoAssign: false, rules: { namespaces: ['default'] } }),
      second,
    )
    expect(cluster.at('a')).toBe('192.168.1.240')
    expect(cluster.changed).toEqual([])
  })

  it('to no pools at all clears every Service, and the pools coming back serves them again', () => {
    const cluster = new Cluster([first]).put({ a: {}, b: {} }).pools()
    expect(cluster.why('a')).toBe('NoPools: there is no IPAddressPool: create one')
    expect(cluster.of('b')).toMatchObject({ state: 'pending', publish: 'nothing' })
    expect(cluster.pools(first).at('b')).toBe('192.168.1.241')
  })

  it('of nothing changes nothing', () => {
    const cluster = new Cluster([first]).put({ a: {}, b: {} })
    const { usage } = cluster
    const before = cluster.of('a')
    expect(cluster.of('a')).toBe(before)
    expect(cluster.usage).toBe(usage)
    expect(cluster.changed).toEqual([])
  })
})

describe('after a restart', () => {
  it('Services with a status get their addresses back before others are served', () => {
    const cluster = new Cluster([first]).put({
      a: {},
      z: { status: ['192.168.1.240'] },
      m: { ips: '192.168.1.241' },
    })
    expect([cluster.at('a'), cluster.at('m'), cluster.at('z')]).toEqual([
      '192.168.1.242',
      '192.168.1.241',
      '192.168.1.240',
    ])
  })

  it('those with more addresses come first, then names decide who keeps an address that two claim', () => {
    const cluster = new Cluster([both]).put({
      a: { status: ['10.1.0.5'] },
      b: { status: ['10.1.0.5'] },
      c: dual({ status: ['fd01::3', '10.1.0.9'] }),
      d: { status: ['10.1.0.9'] },
    })
    expect(['a', 'b', 'c', 'd'].map(name => cluster.at(name))).toEqual([
      '10.1.0.5',
      '10.1.0.0',
      'fd01::3 10.1.0.9',
      '10.1.0.1',
    ])
  })

  it('a Service whose cluster IPs cannot be read keeps what its status names until they can', () => {
    const cluster = new Cluster([first]).put({
      a: { clusterIPs: ['what'], status: ['192.168.1.241'] },
      b: { ips: '192.168.1.241' },
    })
    expect(cluster.at('a')).toBe('192.168.1.241')
    expect(cluster.why('a')).toMatch(/^NoClusterIPs: /)
    expect(cluster.why('b')).toContain('in use by Service default/a')
  })

  it('nobody who must move takes the address that another one’s status names', () => {
    const cluster = new Cluster([first]).put({
      a: { status: ['10.9.9.9'] },
      b: { status: ['192.168.1.240'] },
    })
    expect([cluster.at('a'), cluster.at('b')]).toEqual(['192.168.1.241', '192.168.1.240'])
  })

  it('what an allocator has decided counts, not a status that lags behind', () => {
    const cluster = new Cluster([first]).put({ a: {} }).put({ b: {} })
    expect(cluster.put({ b: { labels: { edited: 'yes' } } }).at('b')).toBe('192.168.1.241')
    expect(cluster.put({ b: { status: ['192.168.1.250'] } }).at('b')).toBe('192.168.1.241')
  })
})

describe('loadBalancerClass', () => {
  const sketches = { plain: {}, ours: { class: 'carillon' }, theirs: { class: 'cloud' } }
  const assigned = (options: AllocatorOptions): readonly string[] => {
    const cluster = new Cluster([first], options).put(sketches)
    return Object.keys(sketches).filter(name => cluster.of(name).state === 'assigned')
  }

  it('unset serves Services without a class', () => expect(assigned({})).toEqual(['plain']))
  it('set serves that class alone', () =>
    expect(assigned({ loadBalancerClass: 'carillon' })).toEqual(['ours']))
  it('set can also serve those without', () =>
    expect(assigned({ loadBalancerClass: 'carillon', alsoUnclassed: true })).toEqual(['plain', 'ours']))

  it('leaves the status of another class as it is', () => {
    const cluster = new Cluster([first]).put({ a: { class: 'cloud', status: ['1.2.3.4'] } })
    expect(cluster.of('a')).toMatchObject({
      state: 'ignored',
      publish: 'asIs',
      reason: { code: 'otherClass' },
    })
  })
})

describe('standalone', () => {
  const bare = (sketch: ServiceSketch = {}): ServiceSketch => ({ clusterIPs: [], ...sketch })
  const alone = (...pools: readonly Pool[]) => new Cluster(pools, { standalone: true })

  it('takes the families from ipFamilies, else from the request, else from the pool, IPv4 if it has any', () => {
    const cluster = alone(both).put({
      a: bare({ families: ['IPv6'] }),
      b: bare({ ips: 'fd01::9' }),
      c: bare(),
      d: bare({ families: ['IPv6', 'IPv4'], policy: 'RequireDualStack' }),
      e: bare({ families: ['IPv4'], ips: 'fd01::8' }),
    })
    expect(['a', 'b', 'c', 'd'].map(name => cluster.at(name))).toEqual([
      'fd01::',
      'fd01::9',
      '10.1.0.0',
      '10.1.0.1 fd01::1',
    ])
    expect(cluster.why('e')).toMatch(/^FamilyMismatch: /)
    expect(alone(six).put({ c: bare() }).at('c')).toBe('fd06::')
  })

  it('serves requests first and then names, in whatever order the manifests appear', () => {
    const cluster = alone(first)
      .put({ c: bare() })
      .put({ b: bare() })
      .put({ z: bare({ ips: '192.168.1.240' }) })
    expect(['b', 'c', 'z'].map(name => cluster.at(name))).toEqual([
      '192.168.1.241',
      '192.168.1.242',
      '192.168.1.240',
    ])
  })

  it('moves those behind a Service that comes or goes, so that every node agrees', () => {
    const cluster = alone(first).put({ b: bare(), c: bare() }).put({ a: bare() })
    expect(['a', 'b', 'c'].map(name => cluster.at(name))).toEqual([
      '192.168.1.240',
      '192.168.1.241',
      '192.168.1.242',
    ])
    cluster.remove('a')
    expect(['b', 'c'].map(name => cluster.at(name))).toEqual(['192.168.1.240', '192.168.1.241'])
  })
})
