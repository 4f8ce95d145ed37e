import { EventEmitter } from 'eventemitter3'
import { describe, expect, it } from 'vitest'
import type { Family } from '../address.ts'
import { CarillonError } from '../errors.ts'
import { parseResource, type Resource } from '../resources/index.ts'
import { MemorySource } from '../source/index.ts'
import {
  FakeClock,
  MemoryMembership,
  MemoryNetwork,
  RecordingLogger,
  RecordingMetrics,
  seededRandom,
} from '../testing/index.ts'
import type {
  Advertisement,
  AnnouncementStatus,
  Announcer,
  AnnouncerEvents,
  AnnouncerSettings,
  PeerRoute,
} from './announcer.ts'
import type { SessionStatus } from './session-status.ts'
import { Speaker, type SpeakerOptions } from './speaker.ts'

/** Remembers what it was told. */
class Parrot implements Announcer {
  readonly speakers = 'one'
  readonly events: EventEmitter<AnnouncerEvents> = new EventEmitter()
  readonly name: string
  readonly families: readonly Family[]
  readonly told: (readonly string[])[] = []
  failing: Error | undefined
  refusingToStart: Error | undefined
  retired = false
  closed = false

  constructor(name = 'parrot', families: readonly Family[] = [4, 6]) {
    this.name = name
    this.families = families
  }

  async start(): Promise<void> {
    if (this.refusingToStart) throw this.refusingToStart
  }

  announce(desired: readonly Advertisement[]): void {
    if (this.failing) throw this.failing
    this.told.push(desired.map(one => one.address))
  }

  retire(): void {
    this.retired = true
  }

  status(): readonly AnnouncementStatus[] {
    return (this.told.at(-1) ?? []).map(address => ({ address, state: 'announced', via: ['eth0'] }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.closed = true
  }
}

/** Writes down what it is told as a speaker of BGP: the peers it is given, then what each is to hear. */
class Scribe implements Announcer {
  readonly name = 'bgp'
  readonly speakers = 'each'
  readonly families: readonly Family[] = [4, 6]
  readonly events: EventEmitter<AnnouncerEvents> = new EventEmitter()
  readonly told: string[] = []
  known: readonly SessionStatus[] = []

  async start(): Promise<void> {}

  configure({ config, labels }: AnnouncerSettings): void {
    const peers = config.peers.map(({ name, holdTimeMs = 90_000 }) => `${name} ${holdTimeMs / 1000}s`)
    this.told.push(`${peers.join(', ')} on ${labels['kubernetes.io/hostname']}`)
  }

  announce(desired: readonly Advertisement[]): void {
    const peersOf = ({ options }: Advertisement): string =>
      (options.peers as readonly PeerRoute[]).map(({ peer }) => peer).join(',')
    this.told.push(desired.map(one => `${one.address}>${peersOf(one)}`).join(' '))
  }

  status(): readonly AnnouncementStatus[] {
    return []
  }

  sessions(): readonly SessionStatus[] {
    return this.known
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.told.push('closed')
  }
}

const resource = (value: unknown): Resource => {
  const parsed = parseResource(value)
  if (!parsed?.resource) throw new TypeError(JSON.stringify(parsed))
  return parsed.resource
}

const pool = (addresses: readonly string[], name = 'first'): Resource =>
  resource({
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPAddressPool',
    metadata: { name },
    spec: { addresses },
  })

const everywhere: Resource = resource({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'L2Advertisement',
  metadata: { name: 'l2' },
  spec: {},
})

const service = (name: string, addresses: string): Resource =>
  resource({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, annotations: { 'metallb.io/loadBalancerIPs': addresses } },
    spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
  })

/** A Service as the controller has left it, and what serves it. */
const given = (name: string, address: string): readonly Resource[] => [
  resource({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { type: 'LoadBalancer', ports: [{ port: 80 }], clusterIPs: ['10.96.0.9'], ipFamilies: ['IPv4'] },
    status: { loadBalancer: { ingress: [{ ip: address }] } },
  }),
  resource({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.0.0.9'] }],
  }),
]

const outOfService = { key: 'node.kubernetes.io/out-of-service', effect: 'NoExecute' }

const node = (name: string, spec: object = {}, ready = 'True'): Resource =>
  resource({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    spec,
    status: { conditions: [{ type: 'Ready', status: ready }] },
  })

const routed: Resource = resource({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'BGPAdvertisement',
  metadata: { name: 'bgp' },
  spec: {},
})

const router = (spec: object = {}): Resource =>
  resource({
    apiVersion: 'metallb.io/v1beta2',
    kind: 'BGPPeer',
    metadata: { name: 'tor' },
    spec: { myASN: 64512, peerASN: 64513, peerAddress: '10.9.9.1', ...spec },
  })

function stage(
  resources: readonly Resource[],
  options: Partial<SpeakerOptions> & { readonly parrots?: readonly Parrot[] } = {},
) {
  const clock = new FakeClock()
  const source = new MemorySource(resources)
  const log = new RecordingLogger()
  const metrics = new RecordingMetrics()
  const { parrots = [new Parrot()], ...rest } = options
  const speaker = new Speaker({
    node: 'node-a',
    source,
    announcers: parrots.map(parrot => () => parrot),
    clock,
    network: new MemoryNetwork({ clock, random: seededRandom(1) }).host('node-a', '10.0.0.1'),
    log,
    metrics,
    random: seededRandom(1),
    version: '0.0.0',
    standalone: true,
    ...rest,
  })
  return { clock, source, log, metrics, speaker, parrots, parrot: parrots[0] as Parrot }
}

/** As in a cluster, where a controller gives the addresses. */
const inCluster = { standalone: false, assignments: 'adopt' } as const

const v4 = '192.168.1.240'
const v6 = 'fc00:f853:ccd:e799::1'

describe('a speaker', () => {
  it('tells each announcer the addresses that it owns, of the families that it can announce', async () => {
    const parrots = [new Parrot('four', [4]), new Parrot('six', [6])]
    const { speaker } = stage([pool([`${v4}/32`, `${v6}/128`]), everywhere, service('web', `${v4},${v6}`)], {
      parrots,
    })
    await speaker.start()
    expect(parrots.map(parrot => parrot.told)).toEqual([[[v4]], [[v6]]])
    expect(speaker.ready).toBe(true)
  })

  it('hands an address over when the election says so, and takes it back', async () => {
    // By the vectors of the election: 192.168.1.240 goes to node-a, then to node-d.
    const membership = new MemoryMembership('node-d')
    const { speaker, clock, parrot } = stage([pool([`${v4}/32`]), everywhere, service('web', v4)], {
      membership,
    })
    await speaker.start()
    expect(parrot.told).toEqual([[]])
    membership.become('node-a', 'node-d')
    clock.advance(0)
    membership.become('node-d')
    clock.advance(0)
    expect(parrot.told).toEqual([[], [v4], []])
    const moves = speaker.status().events.filter(event => event.type === 'ownerChanged')
    expect(moves.map(({ from, to }) => [from, to])).toEqual([
      [undefined, 'node-d'],
      ['node-d', 'node-a'],
      ['node-a', 'node-d'],
    ])
  })

  it.each([
    ['taints it as out of service', { taints: [outOfService] }, 'True'],
    ['says that it is not ready', {}, 'False'],
    ['has not heard of it any more', {}, 'Unknown'],
  ])('without gossip hands an address over when Kubernetes %s, and takes it back', async (_, spec, ready) => {
    const others = [pool([`${v4}/32`]), everywhere, ...given('web', v4), node('node-d')]
    const { speaker, source, clock, parrot } = stage([...others, node('node-a')], inCluster)
    await speaker.start()
    source.set([...others, node('node-a', spec, ready)])
    clock.advance(0)
    source.set([...others, node('node-a')])
    clock.advance(0)
    expect(parrot.told).toEqual([[v4], [], [v4]])
    const moves = speaker.status().events.filter(event => event.type === 'ownerChanged')
    expect(moves.map(({ to }) => to)).toEqual(['node-a', 'node-d', 'node-a'])
  })

  it('with gossip keeps an address whatever Kubernetes says of its node, since the others have heard from it', async () => {
    const membership = new MemoryMembership('node-a', 'node-d')
    const others = [pool([`${v4}/32`]), everywhere, ...given('web', v4), node('node-d')]
    const sick = node('node-a', { taints: [outOfService] }, 'Unknown')
    const { speaker, parrot } = stage([...others, sick], { ...inCluster, membership })
    await speaker.start()
    expect(parrot.told).toEqual([[v4]])
  })

  it('keeps silent after a pause until its membership is confirmed, and says so', async () => {
    const membership = new MemoryMembership('node-a')
    const { speaker, parrot, log } = stage([pool([`${v4}/32`]), everywhere, service('web', v4)], {
      membership,
    })
    await speaker.start()
    membership.stand('paused')
    expect(parrot.told.at(-1)).toEqual([])
    membership.stand('confirmed')
    expect(parrot.told.at(-1)).toEqual([v4])
    expect(log.lines.filter(line => line.level === 'warn')).toHaveLength(1)
    expect(speaker.status().events.map(event => event.type)).toContain('unsilenced')
  })

  it('takes every address when it hears nobody, or gives up its own, as it was told', async () => {
    for (const [whenIsolated, told] of [
      ['announce', [v4]],
      ['silent', []],
    ] as const) {
      const membership = new MemoryMembership('node-a')
      const { speaker, parrot } = stage([pool([`${v4}/32`]), everywhere, service('web', v4)], {
        membership,
        whenIsolated,
      })
      await speaker.start()
      membership.stand('isolated')
      expect(parrot.told.at(-1)).toEqual(told)
    }
  })

  it('lets a node that comes back wait before it is elected', async () => {
    const membership = new MemoryMembership('node-d')
    const { speaker, parrot, clock } = stage([pool([`${v4}/32`]), everywhere, service('web', v4)], {
      membership,
      node: 'node-d',
      holdDownMs: 10_000,
    })
    await speaker.start()
    membership.become('node-d', 'node-c')
    clock.advance(0)
    clock.advance(20_000)
    // node-a wins the election as soon as it may stand.
    membership.become('node-a', 'node-c', 'node-d')
    clock.advance(9_999)
    expect(parrot.told.at(-1)).toEqual([v4])
    clock.advance(1)
    expect(parrot.told.at(-1)).toEqual([])
  })

  it('that is sticky keeps an address while it lives, and the others let it', async () => {
    const heard: ((message: Uint8Array) => void)[] = []
    const board = () => ({
      tell: (message: Uint8Array) => {
        for (const hear of heard) hear(message)
      },
      heard: (handle: (message: Uint8Array) => void) => heard.push(handle),
      known: () => {},
    })
    const resources = [pool([`${v4}/32`]), everywhere, service('web', v4)]
    const nodes = ['node-c', 'node-a'].map(node => {
      const membership = new MemoryMembership('node-c', 'node-b')
      return { membership, ...stage(resources, { node, membership, sticky: board() }) }
    })
    const become = (...alive: readonly string[]): void => {
      for (const { membership, clock } of nodes) {
        membership.become(...alive)
        clock.advance(0)
      }
      for (const { clock } of nodes) clock.advance(0)
    }
    const owners = () => nodes.map(({ speaker }) => speaker.plan?.services.get('default/web')?.owner)
    for (const { speaker } of nodes) await speaker.start()
    expect(owners()).toEqual(['node-c', 'node-c'])
    // By the election alone it would go to node-a.
    become('node-a', 'node-b', 'node-c')
    expect(owners()).toEqual(['node-c', 'node-c'])
    expect(nodes[1]?.speaker.status('default/web').services[0]?.succession).toEqual([
      'node-c',
      'node-a',
      'node-b',
    ])
    become('node-a', 'node-b')
    expect(owners()).toEqual(['node-a', 'node-a'])
    become('node-a', 'node-b', 'node-c')
    expect(owners()).toEqual(['node-a', 'node-a'])
  })

  it('goes on announcing while it retires, whatever happens, until it is closed', async () => {
    const membership = new MemoryMembership('node-a')
    const { speaker, parrot, clock } = stage([pool([`${v4}/32`]), everywhere, service('web', v4)], {
      membership,
    })
    await speaker.start()
    speaker.retire()
    membership.become('node-d')
    clock.advance(1000)
    expect(parrot.told).toEqual([[v4]])
    expect(parrot.retired).toBe(true)
    await speaker[Symbol.asyncDispose]()
    expect(parrot.closed).toBe(true)
  })

  it('replays a burst of changes once', async () => {
    const membership = new MemoryMembership('node-a')
    const { speaker, clock, metrics } = stage([pool([`${v4}/32`]), everywhere], { membership })
    await speaker.start()
    for (let i = 0; i < 5000; i++) membership.become('node-a', `node-${i}`)
    clock.advance(0)
    expect(metrics.value('metallb_k8s_client_updates_total')).toBe(2)
  })

  it('announces nothing before the whole configuration is valid', async () => {
    const { speaker, source, clock, parrot, metrics } = stage([
      pool([`${v4}/32`]),
      pool([`${v4}/31`], 'overlapping'),
      everywhere,
      service('web', v4),
    ])
    await speaker.start()
    expect(parrot.told).toEqual([])
    expect(speaker.ready).toBe(false)
    expect(speaker.status()).toMatchObject({ configuration: 'invalid', services: [] })
    expect(metrics.value('metallb_k8s_client_config_loaded_bool')).toBe(0)
    source.set([pool([`${v4}/32`]), everywhere, service('web', v4)])
    clock.advance(0)
    expect(parrot.told).toEqual([[v4]])
    expect(speaker.status().configuration).toBe('valid')
  })

  it('keeps the last valid configuration running when the new one is broken, says so once, and still follows Services', async () => {
    const good = [pool(['192.168.1.240-192.168.1.250']), everywhere]
    const { speaker, source, clock, parrot, log, metrics } = stage([...good, service('web', v4)])
    await speaker.start()
    const broken = pool(['192.168.1.240-192.168.1.1'])
    source.set([broken, everywhere, service('web', v4)])
    clock.advance(0)
    source.set([broken, everywhere, service('web', v4), service('more', '192.168.1.241')])
    clock.advance(0)
    expect(parrot.told.at(-1)).toEqual([v4, '192.168.1.241'])
    expect(speaker.ready).toBe(true)
    expect(speaker.status()).toMatchObject({
      configuration: 'stale',
      problems: [{ severity: 'error', kind: 'IPAddressPool', name: 'first', field: 'spec.addresses[0]' }],
    })
    expect(log.lines.filter(line => line.level === 'error')).toHaveLength(1)
    expect(metrics.value('metallb_k8s_client_config_stale_bool')).toBe(1)
  })

  it('goes on when an announcer fails, and tells it everything again at the next change', async () => {
    const parrots = [new Parrot('bad'), new Parrot('good')]
    const [bad, good] = parrots as [Parrot, Parrot]
    bad.failing = new Error('out of order')
    const pools = pool(['192.168.1.240-192.168.1.250'])
    const { speaker, source, clock } = stage([pools, everywhere, service('web', v4)], { parrots })
    await speaker.start()
    expect(good.told).toEqual([[v4]])
    expect(speaker.status().announcers).toMatchObject([
      { name: 'bad', failure: 'out of order' },
      { failure: null },
    ])
    bad.failing = undefined
    source.set([pools, everywhere, service('web', v4), service('more', '192.168.1.241')])
    clock.advance(0)
    expect(bad.told).toEqual([[v4, '192.168.1.241']])
    expect(speaker.status().announcers[0]?.failure).toBe(null)
  })

  it('tries again to start an announcer that cannot start yet', async () => {
    const parrot = new Parrot()
    parrot.refusingToStart = new CarillonError('EPERM', 'not allowed')
    const { speaker, clock } = stage([pool([`${v4}/32`]), everywhere], { parrots: [parrot] })
    await speaker.start()
    expect(speaker.ready).toBe(false)
    parrot.refusingToStart = undefined
    await clock.advanceAsync(1000)
    expect(speaker.ready).toBe(true)
  })

  it('shows who owns an address, since when and who would be next', async () => {
    const membership = new MemoryMembership('node-a', 'node-b', 'node-c', 'node-d')
    const { speaker, clock, metrics } = stage([pool([`${v4}/32`]), everywhere, service('web', v4)], {
      membership,
    })
    await speaker.start()
    clock.advance(5000)
    expect(speaker.status()).toMatchObject({
      node: 'node-a',
      now: '2026-01-01T00:00:05.000Z',
      services: [
        {
          owner: 'node-a',
          since: '2026-01-01T00:00:00.000Z',
          succession: ['node-a', 'node-d', 'node-c', 'node-b'],
          announcements: [{ protocol: 'layer2', address: v4, node: 'node-a', interfaces: 'all' }],
        },
      ],
    })
    const labels = { service: 'default/web', protocol: 'layer2', node: 'node-a', ip: v4 }
    expect(metrics.value('metallb_speaker_announced', labels)).toBe(1)
  })

  it('tells whoever speaks on every node its own part, and before it what it may go by', async () => {
    const membership = new MemoryMembership('node-a', 'node-d')
    const scribe = new Scribe()
    const resources = [pool([`${v4}/32`]), everywhere, routed, router(), service('web', v4)]
    const { speaker, source, clock, metrics } = stage(resources, {
      membership,
      node: 'node-d',
      announcers: [() => scribe],
    })
    await speaker.start()
    const first = ['tor 90s on node-d', `${v4}/32>tor`]
    expect(scribe.told).toEqual(first)
    // Who else is there does not matter to it.
    membership.become('node-d')
    clock.advance(0)
    expect(scribe.told).toEqual(first)
    // A session of another kind: the routes are told again with it.
    source.set([...resources.slice(0, 3), router({ holdTime: '9s' }), service('web', v4)])
    clock.advance(0)
    expect(scribe.told.slice(2)).toEqual(['tor 9s on node-d', `${v4}/32>tor`])
    source.set([...resources.slice(0, 3), router({ holdTime: '9s' })])
    clock.advance(0)
    expect(scribe.told.slice(4)).toEqual([''])
    const labels = { service: 'default/web', protocol: 'bgp', node: 'node-d', ip: v4 }
    expect(metrics.value('metallb_speaker_announced', labels)).toBeUndefined()
    await speaker[Symbol.asyncDispose]()
    expect(scribe.told.at(-1)).toBe('closed')
  })

  it('keeps its routes while it answers for no address: many may have them', async () => {
    const membership = new MemoryMembership('node-a')
    const [parrot, scribe] = [new Parrot(), new Scribe()]
    const { speaker, metrics } = stage(
      [pool([`${v4}/32`]), everywhere, routed, router(), service('web', v4)],
      { membership, whenIsolated: 'silent', announcers: [() => parrot, () => scribe] },
    )
    await speaker.start()
    for (const standing of ['paused', 'confirmed', 'isolated'] as const) membership.stand(standing)
    expect(parrot.told).toEqual([[v4], [], [v4], []])
    expect(scribe.told).toEqual(['tor 90s on node-a', `${v4}/32>tor`])
    const labels = { service: 'default/web', node: 'node-a', ip: v4 }
    expect(metrics.value('metallb_speaker_announced', { ...labels, protocol: 'bgp' })).toBe(1)
    expect(metrics.value('metallb_speaker_announced', { ...labels, protocol: 'layer2' })).toBeUndefined()
  })

  it('announces by BGP also while it waits to be elected', async () => {
    const membership = new MemoryMembership('node-d')
    const [parrot, scribe] = [new Parrot(), new Scribe()]
    const { speaker, clock } = stage([pool([`${v4}/32`]), everywhere, routed, router(), service('web', v4)], {
      membership,
      holdDownMs: 10_000,
      announcers: [() => parrot, () => scribe],
    })
    await speaker.start()
    membership.become('node-a', 'node-d')
    clock.advance(0)
    expect(parrot.told.at(-1)).toEqual([])
    expect(scribe.told.at(-1)).toBe(`${v4}/32>tor`)
    expect(speaker.plan?.services.get('default/web')?.verdict('node-a')).toMatchObject({
      because: 'heldDown',
    })
    clock.advance(10_000)
    expect(parrot.told.at(-1)).toEqual([v4])
  })

  it('shows the sessions of its announcers, and remembers their ups and downs', async () => {
    const scribe = new Scribe()
    const { speaker, log } = stage([routed, router()], { announcers: [() => scribe] })
    await speaker.start()
    const since = new Date(Date.UTC(2026, 0, 1))
    scribe.known = [
      {
        peer: 'tor',
        address: '10.9.9.1',
        state: 'Idle',
        since,
        downSince: since,
        lastError: { at: since, code: 'HOLD_TIMER_EXPIRED', message: 'the peer was not heard for 90 s' },
        routes: { desired: 1, announced: 0, pending: 0, failed: 0 },
        counters: { opensSent: 1 },
        bfd: { state: 'down', since },
      },
    ]
    scribe.events.emit('peer:up', 'tor')
    scribe.events.emit(
      'peer:down',
      'tor',
      new CarillonError('HOLD_TIMER_EXPIRED', 'the peer was not heard for 90 s'),
    )
    const { sessions, events } = speaker.status()
    const at = '2026-01-01T00:00:00.000Z'
    expect(sessions).toEqual([
      {
        announcer: 'bgp',
        peer: 'tor',
        address: '10.9.9.1',
        state: 'Idle',
        since: at,
        downSince: at,
        lastError: { at, code: 'HOLD_TIMER_EXPIRED', message: 'the peer was not heard for 90 s' },
        routes: { desired: 1, announced: 0, pending: 0, failed: 0 },
        counters: { opensSent: 1 },
        bfd: { state: 'down', since: at },
      },
    ])
    expect(events.filter(event => event.peer === 'tor').map(({ type, message }) => [type, message])).toEqual([
      ['peerUp', 'the session with tor is up'],
      ['peerDown', 'the session with tor is down: the peer was not heard for 90 s'],
    ])
    // The announcer has logged them.
    expect(log.lines.filter(line => line.fields.peer === 'tor')).toEqual([])
  })

  it('withdraws and closes everything when it ends', async () => {
    const { speaker, parrot, source, clock } = stage([pool([`${v4}/32`]), everywhere])
    await speaker.start()
    await speaker[Symbol.asyncDispose]()
    expect(parrot.closed).toBe(true)
    const told = parrot.told.length
    source.set([])
    clock.advance(1000)
    expect(parrot.told).toHaveLength(told)
    expect(clock.pending).toBe(0)
  })
})
