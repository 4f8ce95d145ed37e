import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { endpoints, l2, node, pool, service } from '../../lab/support/manifests.ts'
import { describeLab } from '../../lab/support/needs.ts'
import { SpeakerLab } from '../../lab/support/speaker-lab.ts'
import { holds, learnt } from '../support/routers/learnt.ts'
import type { Router } from '../support/routers/router.ts'
import { Routers } from '../support/routers/routers.ts'

const us = 65_010
const them = 65_020
const secret = 'ours-and-birds'
const nodes = ['node-a', 'node-b', 'node-c'] as const
const addressOf = (name: string): string => `10.77.0.1${(nodes as readonly string[]).indexOf(name) + 1}`
/** FRR is in another AS, and carries both families; BIRD is in ours, wants a key, and carries IPv4. */
const routerAddresses = { frr: '10.77.0.21', bird: '10.77.0.22' } as const
type Kind = keyof typeof routerAddresses
const bfd = { transmitMs: 50, receiveMs: 50, multiplier: 3 }

const manifest = (kind: string, name: string, spec: object, version = 'v1beta1'): string =>
  `---\n${JSON.stringify({ apiVersion: `metallb.io/${version}`, kind, metadata: { name }, spec })}\n`

const peer = (name: Kind, spec: object): string =>
  manifest(
    'BGPPeer',
    name,
    { myASN: us, peerAddress: routerAddresses[name], connectTime: '1s', bfdProfile: 'fast', ...spec },
    'v1beta2',
  )
const frrPeer = (spec: object = {}): string =>
  peer('frr', { peerASN: them, dualStackAddressFamily: true, ...spec })

/** Everything but the Services. */
const cluster = (...more: readonly string[]): string =>
  [
    pool('lan', '10.77.0.100-10.77.0.120'),
    l2('lan', { ipAddressPools: ['lan'] }),
    pool('routed', '192.0.2.0/24', '2001:db8::/64'),
    manifest('BFDProfile', 'fast', { receiveInterval: 50, transmitInterval: 50, detectMultiplier: 3 }),
    manifest('Community', 'names', { communities: [{ name: 'vip', value: '65010:77' }] }),
    `---
apiVersion: v1
kind: Secret
metadata: { name: bird, namespace: metallb-system }
type: kubernetes.io/basic-auth
data: { password: ${Buffer.from(secret).toString('base64')} }
`,
    peer('bird', { peerASN: us, passwordSecret: { name: 'bird', namespace: 'metallb-system' } }),
    ...nodes.map(name => node(name)),
    ...more,
  ].join('')

const advertisements = [
  manifest('BGPAdvertisement', 'net', {
    ipAddressPools: ['routed'],
    aggregationLength: 24,
    aggregationLengthV6: 64,
    communities: ['vip', 'large:65010:1:2'],
    peers: ['frr'],
  }),
  manifest('BGPAdvertisement', 'each', { ipAddressPools: ['routed', 'lan'], localPref: 250 }),
]
const services = [
  service('web', { addresses: ['192.0.2.10', '2001:db8::10'], spec: { ipFamilyPolicy: 'RequireDualStack' } }),
  service('lan', { addresses: ['10.77.0.100'] }),
]
const local = service('local', { addresses: ['192.0.2.11'], spec: { externalTrafficPolicy: 'Local' } })

describeLab('carillon run', ['/usr/lib/frr/bgpd', 'bird', 'arping', 'bridge'], () => {
  let lab: SpeakerLab
  let routers: Routers
  const all = new Map<Kind, Router>()
  const router = (kind: Kind): Router => all.get(kind) as Router
  const session = async (name: string, kind: Kind) => {
    const status = await lab.status(name)
    const found = status?.sessions.find(one => one.peer === kind)
    if (!found) throw new Error(`${name} has no session with ${kind}`)
    return found
  }
  /** Waits until a router has been told exactly these prefixes by each of these nodes, and none by others. */
  const told = async (
    kind: Kind,
    prefixes: Readonly<Record<string, object>>,
    by: readonly string[] = nodes,
  ) => {
    for (const name of nodes)
      await holds(router(kind), addressOf(name), by.includes(name) ? prefixes : {}, 15)
  }
  const exact = { '192.0.2.10/32': {}, '10.77.0.100/32': {} }
  const toFrr = { ...exact, '192.0.2.0/24': {}, '2001:db8::10/128': {}, '2001:db8::/64': {} }

  beforeAll(async () => {
    lab = await SpeakerLab.build('run', {
      nodes,
      manifests: cluster(frrPeer(), ...advertisements, ...services),
    })
    routers = await Routers.in(lab.net)
    for (const kind of ['frr', 'bird'] as const) {
      await lab.net.host(kind)
      await lab.net.join('switch', kind, [`${routerAddresses[kind]}/24`])
      const neighbors = nodes.map(name => ({
        address: addressOf(name),
        localAddress: routerAddresses[kind],
        remoteAs: us,
        bfd,
        ...(kind === 'frr' ? { families: ['ipv4', 'ipv6'] as const } : { password: secret }),
      }))
      const config = { as: kind === 'frr' ? them : us, routerId: routerAddresses[kind], neighbors }
      all.set(kind, await routers.start(kind, kind, config))
    }
    await lab.start(
      nodes,
      nodes.flatMap(name => ['--gossip-join', addressOf(name)]),
    )
  })

  afterAll(async () => {
    await routers?.[Symbol.asyncDispose]()
    await lab[Symbol.asyncDispose]()
  })

  it('announces every Service from every node to both routers, IPv4 and IPv6', async () => {
    await told('frr', toFrr)
    await told('bird', exact)
  })

  it('gives them what the advertisements say: aggregation, communities, local preference', async () => {
    const { '192.0.2.0/24': net, '192.0.2.10/32': one } = Object.fromEntries(
      await learnt(router('frr'), addressOf('node-a')),
    )
    expect(net).toMatchObject({ asPath: [us], communities: ['65010:77'], largeCommunities: ['65010:1:2'] })
    expect(one).toMatchObject({ asPath: [us], communities: [], largeCommunities: [] })
    const within = Object.fromEntries(await learnt(router('bird'), addressOf('node-b')))
    expect(within['192.0.2.10/32']).toMatchObject({
      asPath: [],
      localPref: 250,
      nextHop: addressOf('node-b'),
    })
  })

  it('answers ARP for the same Service, from one node', async () => {
    const owner = await lab.settled('default/lan', name => name !== null)
    expect(await lab.arping('10.77.0.100')).toEqual([await lab.mac(owner ?? '')])
  })

  it('shows sessions, what was agreed, BFD and routes', async () => {
    for (const name of nodes) {
      expect(await session(name, 'frr')).toMatchObject({
        state: 'Established',
        negotiated: { peerAs: them, families: ['ipv4', 'ipv6'], internal: false },
        routes: { announced: 5, pending: 0 },
      })
      await lab.whenStatus(name, 'BFD is up', status => status.sessions.every(one => one.bfd?.state === 'up'))
      expect(await lab.metric(name, 'metallb_bgp_session_up')).toBe(2)
    }
    const { stdout } = await lab.carillon('node-a', 'where', '192.0.2.10')
    for (const word of ['192.0.2.10/32', 'frr', 'bird']) expect(stdout).toContain(word)
    const { stdout: status } = await lab.carillon('node-a', 'status')
    expect(status).toMatch(/^frr +10\.77\.0\.21 +Established .* 5 +up +eBGP with AS 65020 .*hold time 90 s/m)
    expect(status).toMatch(/^bird +10\.77\.0\.22 +Established .* 2 +up +iBGP with AS 65010/m)
    const { stdout: why } = await lab.carillon('node-a', 'explain', 'default/web')
    for (const word of ['192.0.2.10/32', ...nodes, 'frr', 'bird']) expect(why).toContain(word)
    const everything = JSON.stringify(await lab.status('node-a')) + lab.log('node-a')
    expect(everything).not.toContain(secret)
  })

  it('announces a Service with local traffic only where it has endpoints, and moves with them', async () => {
    const sinces = await Promise.all(nodes.map(async name => (await session(name, 'frr')).since))
    const with_ = { ...toFrr, '192.0.2.11/32': {} }
    await lab.edit([local, endpoints('local', 'node-b')].join(''), 'local.yaml')
    await holds(router('frr'), addressOf('node-b'), with_)
    await holds(router('frr'), addressOf('node-a'), toFrr)
    await lab.edit([local, endpoints('local', 'node-c')].join(''), 'local.yaml')
    await holds(router('frr'), addressOf('node-b'), toFrr)
    await holds(router('frr'), addressOf('node-c'), with_)
    await lab.edit([local, endpoints('local')].join(''), 'local.yaml')
    await told('frr', toFrr)
    // No session was begun anew for all that.
    expect(await Promise.all(nodes.map(async name => (await session(name, 'frr')).since))).toEqual(sinces)
  })

  it('another advertisement changes routes and no session', async () => {
    const before = await session('node-a', 'frr')
    const changed = manifest('BGPAdvertisement', 'net', {
      ipAddressPools: ['routed'],
      aggregationLength: 25,
      aggregationLengthV6: 64,
      communities: ['no-export'],
      nodeSelectors: [{ matchLabels: { 'kubernetes.io/hostname': 'node-a' } }],
      peers: ['frr'],
    })
    await lab.edit(cluster(frrPeer(), changed, advertisements[1] ?? '', ...services))
    const { '192.0.2.0/24': _four, '2001:db8::/64': six, ...others } = toFrr
    await holds(router('frr'), addressOf('node-a'), {
      ...others,
      '2001:db8::/64': six,
      '192.0.2.0/25': { communities: ['65535:65281'], largeCommunities: [] },
    })
    await holds(router('frr'), addressOf('node-b'), others)
    expect((await session('node-a', 'frr')).since).toBe(before.since)
    await lab.edit(cluster(frrPeer(), ...advertisements, ...services))
    await told('frr', toFrr)
  })

  it('another field of one peer begins only its session anew', async () => {
    const [frr, bird] = [await session('node-a', 'frr'), await session('node-a', 'bird')]
    await lab.edit(cluster(frrPeer({ holdTime: '30s' }), ...advertisements, ...services))
    await lab.whenStatus('node-a', 'the hold time is another', status =>
      status.sessions.some(one => one.peer === 'frr' && one.negotiated?.holdTimeMs === 30_000),
    )
    expect((await session('node-a', 'frr')).since).not.toBe(frr.since)
    expect((await session('node-a', 'bird')).since).toBe(bird.since)
    await told('frr', toFrr)
  })

  describe('a node', () => {
    it('withdraws its routes when it is stopped, says so, and has them again when it is started', async () => {
      const began = performance.now()
      await lab.signal('node-c', 'SIGTERM')
      expect(await lab.exited('node-c')).toBe(0)
      expect(performance.now() - began).toBeLessThan(2500)
      await told('frr', toFrr, ['node-a', 'node-b'])
      await told('bird', exact, ['node-a', 'node-b'])
      // FRR names BFD instead, which goes down a moment later.
      const sessions = await router('bird').sessions()
      expect(sessions.find(({ neighbor }) => neighbor === addressOf('node-c'))?.lastError).toContain(
        'Carillon stops on this node',
      )
      await lab.start(
        ['node-c'],
        nodes.flatMap(name => ['--gossip-join', addressOf(name)]),
      )
      await told('frr', toFrr)
    })

    it('loses its routes at once when it is killed', async () => {
      await lab.signal('node-b', 'SIGKILL')
      await holds(router('frr'), addressOf('node-b'), {}, 2)
      await holds(router('bird'), addressOf('node-b'), {}, 2)
      await told('frr', toFrr, ['node-a', 'node-c'])
    })
  })
})
