import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type {
  AnnouncementStatus,
  Announcer,
  PlanDocument,
  SessionStatus,
  SpeakerStatus,
} from '@carillon/core'
import { MemorySource, parseResource, type Resource, Speaker } from '@carillon/core'
import { FakeClock, MemoryNetwork, RecordingLogger, seededRandom } from '@carillon/core/testing'
import { EventEmitter } from 'eventemitter3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { prometheusMetrics } from './http/metrics.ts'
import { servedBy } from './http/served.ts'
import { type HttpServer, serveHttp } from './http/server.ts'
import { program } from './program.ts'

/** What a person would have seen. */
async function carillon(...argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await program(argv, {
    print: text => out.push(text),
    warn: text => err.push(text),
    colour: false,
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

const manifests = `apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: first }
spec: { addresses: [192.168.1.240-192.168.1.241] }
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: { name: l2 }
spec: { interfaces: [eth1, eth0] }
---
apiVersion: v1
kind: Node
metadata: { name: node-a }
---
apiVersion: v1
kind: Node
metadata: { name: node-b }
---
apiVersion: v1
kind: Node
metadata: { name: node-c, labels: { node.kubernetes.io/exclude-from-external-load-balancers: "" } }
---
apiVersion: v1
kind: Service
metadata: { name: web, annotations: { metallb.io/loadBalancerIPs: 192.168.1.240 } }
spec: { type: LoadBalancer, ports: [{ port: 80 }] }
---
apiVersion: v1
kind: Service
metadata: { name: lost, annotations: { metallb.io/loadBalancerIPs: 10.9.9.9 } }
spec: { type: LoadBalancer, ports: [{ port: 80 }] }
---
apiVersion: v1
kind: Service
metadata: { name: plain }
spec: { type: ClusterIP, ports: [{ port: 80 }] }
`

let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carillon-cli-'))
  await writeFile(join(folder, 'a.yaml'), manifests)
})

afterEach(() => rm(folder, { recursive: true, force: true }))

const plan = async (...more: readonly string[]): Promise<{ code: number; document: PlanDocument }> => {
  const { code, out } = await carillon('plan', '--manifests', folder, '--standalone', '--json', ...more)
  return { code, document: JSON.parse(out) as PlanDocument }
}

describe('carillon plan', () => {
  it('prints who would announce what, and why not the others', async () => {
    const { code, document } = await plan()
    expect(code).toBe(0)
    expect(document).toEqual({
      services: [
        {
          namespace: 'default',
          name: 'lost',
          state: 'pending',
          addresses: [],
          pool: null,
          reason: { code: 'AllocationFailed', message: expect.stringContaining('10.9.9.9') },
          announcements: [],
          silent: [],
        },
        {
          namespace: 'default',
          name: 'plain',
          state: 'ignored',
          addresses: [],
          pool: null,
          reason: { code: 'notLoadBalancer', message: expect.any(String) },
          announcements: [],
          silent: [],
        },
        {
          namespace: 'default',
          name: 'web',
          state: 'assigned',
          addresses: ['192.168.1.240'],
          pool: 'first',
          reason: null,
          announcements: [
            { protocol: 'layer2', address: '192.168.1.240', node: 'node-a', interfaces: ['eth0', 'eth1'] },
          ],
          silent: [
            { protocol: 'layer2', node: 'node-b', because: 'notOwner' },
            { protocol: 'layer2', node: 'node-c', because: 'nodeLabeledExcludeBalancers' },
          ],
        },
      ],
      pools: [{ name: 'first', assignedIPv4: 1, assignedIPv6: 0, availableIPv4: 1, availableIPv6: 0 }],
      problems: [],
    })
  })

  it('leaves out who is not alive', async () => {
    const { document } = await plan('--alive', 'node-b,node-c')
    expect(document.services[2]?.announcements).toMatchObject([{ node: 'node-b' }])
    expect(document.services[2]?.silent).toContainEqual({
      protocol: 'layer2',
      node: 'node-a',
      because: 'notAlive',
    })
  })

  it('lets excluded nodes in when told so', async () => {
    // By the vectors of the election, node-c comes after node-a.
    const { document } = await plan('--alive', 'node-c', '--ignore-exclude-lb')
    expect(document.services[2]?.announcements).toMatchObject([{ node: 'node-c' }])
  })

  it('serves another class when told so', async () => {
    const { document } = await plan('--lb-class', 'example.com/lb')
    expect(document.services[2]).toMatchObject({ state: 'ignored', reason: { code: 'otherClass' } })
  })

  it('prints a table for people', async () => {
    const { code, out } = await carillon('plan', '--manifests', folder, '--standalone')
    expect(code).toBe(0)
    expect(out).toMatch(/^SERVICE +STATE +ADDRESSES +POOL +NODE +WHY$/m)
    expect(out).toMatch(/^default\/web +assigned +192\.168\.1\.240 +first +node-a$/m)
    expect(out).toMatch(/^first +1 +1 +0 +0$/m)
  })

  it('says no when the configuration is invalid, and plans nothing', async () => {
    await writeFile(join(folder, 'b.yaml'), manifests.split('---')[0]?.replace('first', 'second') ?? '')
    const { code, document } = await plan()
    expect(code).toBe(1)
    expect(document.services).toEqual([])
    expect(document.problems).toMatchObject([
      { severity: 'error', kind: 'IPAddressPool', name: 'second', field: 'spec.addresses[0]' },
    ])
  })
})

describe('carillon validate', () => {
  it('is content with valid manifests', async () => {
    expect(await carillon('validate', '--manifests', folder)).toEqual({ code: 0, out: 'valid', err: '' })
  })

  it('names kind, object and field of every problem', async () => {
    await writeFile(
      join(folder, 'b.yaml'),
      'apiVersion: metallb.io/v1beta1\nkind: BFDProfile\nmetadata: { name: fast }\nspec: { transmitInterval: 1 }\n',
    )
    const { code, out } = await carillon('validate', '--manifests', folder)
    expect(code).toBe(1)
    expect(out).toMatch(/^error: BFDProfile fast spec\.transmitInterval: /)
    const json = await carillon('validate', '--manifests', folder, '--json')
    expect(JSON.parse(json.out)).toMatchObject({
      valid: false,
      problems: [{ kind: 'BFDProfile', name: 'fast' }],
    })
  })
})

describe('wrong usage', () => {
  it.each([
    [[], 0],
    [['--help'], 0],
    [['plan', '--help'], 0],
    [['--version'], 0],
    [['plan'], 2],
    [['nonsense'], 2],
    [['plan', '--manifests', '.', '--nonsense'], 2],
    [['run', '--manifests', '.', '--log-level', 'loud'], 2],
    [['run', '--manifests', '.', '--garp-count', '0'], 2],
    [['status', '--http', 'somewhere'], 2],
    [['explain', 'no-slash'], 2],
    [['bgp'], 2],
    [['bgp', 'nonsense'], 2],
    [['bgp', 'routes', '--help'], 0],
    [['drain', 'node-a'], 2],
    [['drain', '--dry-run'], 2],
  ])('%j ends with %i', async (argv, code) => {
    const answer = await carillon(...argv)
    expect(answer.code).toBe(code)
    if (code === 2) expect(answer.err).toMatch(/^carillon: [^\n]+$/)
  })

  it('is not what a missing file is: that is invalid input, told in one line', async () => {
    const answer = await carillon('plan', '--manifests', join(folder, 'nowhere'))
    expect(answer.code).toBe(1)
    expect(answer.err).toMatch(
      /^carillon: cannot read manifests at [^\n]*nowhere: there is no such file or folder$/,
    )
  })
})

describe('carillon drain --dry-run --manifests', () => {
  const drain = (...more: readonly string[]): ReturnType<typeof carillon> =>
    carillon('drain', '--dry-run', '--manifests', folder, '--standalone', ...more)

  it('says who would take what', async () => {
    const { code, out } = await drain('node-a')
    expect(out).toMatch(/^192\.168\.1\.240 +default\/web +layer2 +moves to node-b$/m)
    expect(out).toMatch(/^node-b would take 1 address$/m)
    expect(code).toBe(0)
  })

  it('says no when an address would be left without an owner', async () => {
    const { code, out } = await drain('node-a', '--alive', 'node-a,node-c')
    expect(out).toMatch(
      /^default\/web \(192\.168\.1\.240\) would be announced by nobody; "carillon explain default\/web"/m,
    )
    expect(code).toBe(1)
    const json = await drain('node-a', '--alive', 'node-a,node-c', '--json')
    expect(JSON.parse(json.out)).toEqual({
      node: 'node-a',
      addresses: [{ protocol: 'layer2', address: '192.168.1.240', services: ['default/web'], to: null }],
      routes: [],
      orphans: [{ service: 'default/web', address: '192.168.1.240' }],
    })
  })

  it('has nothing to say of a node that announces nothing, and knows which nodes there are', async () => {
    expect(await drain('node-b')).toEqual({
      code: 0,
      out: 'node-b announces nothing: nothing would move',
      err: '',
    })
    expect(await drain('node-x')).toMatchObject({
      code: 1,
      err: 'carillon: node-x: there is no such node; known are node-a, node-b, node-c',
    })
  })
})

describe('questions to a running speaker', () => {
  let server: HttpServer
  let speaker: Speaker
  let source: MemorySource
  let sessions: readonly SessionStatus[] = []
  let told: readonly AnnouncementStatus[] = []

  const tor: SessionStatus = {
    peer: 'tor',
    address: '10.9.9.1',
    port: 179,
    state: 'Established',
    since: new Date(Date.UTC(2026, 0, 1)),
    negotiated: {
      peerAs: 2,
      peerRouterId: '10.9.9.1',
      peerHostName: 'tor-1',
      internal: false,
      families: ['ipv4'],
      fourOctetAs: true,
      extendedMessage: false,
      routeRefresh: true,
      enhancedRefresh: false,
      extendedNextHop: false,
      gracefulRestart: { restarting: false, restartTime: 120, families: ['ipv4'] },
      holdTimeMs: 90_000,
      keepaliveTimeMs: 30_000,
    },
    routes: { desired: 1, announced: 1, pending: 0, failed: 0 },
    counters: {},
    bfd: { state: 'up', since: new Date(Date.UTC(2026, 0, 1)) },
  }

  /** An announcer that has sessions and says nothing. */
  const quiet: Announcer = {
    name: 'bgp',
    speakers: 'each',
    families: [4, 6],
    events: new EventEmitter(),
    start: async () => {},
    announce: () => {},
    status: () => told,
    sessions: () => sessions,
    [Symbol.asyncDispose]: async () => {},
  }

  const resources = (text: string): Resource[] =>
    (JSON.parse(text) as readonly unknown[]).flatMap(object => parseResource(object)?.resource ?? [])

  const cluster = [
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: { name: 'p' },
      spec: { addresses: ['192.168.1.240/32'] },
    },
    { apiVersion: 'metallb.io/v1beta1', kind: 'L2Advertisement', metadata: { name: 'l2' }, spec: {} },
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-d' } },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { type: 'LoadBalancer' } },
  ]

  beforeEach(async () => {
    const clock = new FakeClock()
    sessions = []
    told = []
    source = new MemorySource(resources(JSON.stringify(cluster)))
    const metrics = prometheusMetrics()
    speaker = new Speaker({
      node: 'node-a',
      source,
      announcers: [() => quiet],
      clock,
      network: new MemoryNetwork({ clock, random: seededRandom(1) }).host('node-a', '10.0.0.1'),
      log: new RecordingLogger(),
      metrics,
      random: seededRandom(1),
      version: '1.2.3',
      standalone: true,
    })
    await speaker.start()
    server = await serveHttp({ address: '127.0.0.1', port: 0 }, servedBy(speaker), metrics)
  })

  afterEach(async () => {
    await speaker[Symbol.asyncDispose]()
    await server[Symbol.asyncDispose]()
  })

  const at = (): string => `127.0.0.1:${server.at.port}`
  const get = (path: string): Promise<Response> => fetch(`http://${at()}${path}`)

  it('are answered with who owns what and who is next', async () => {
    const status = await carillon('status', '--http', at())
    expect(status.code).toBe(0)
    expect(status.out).toMatch(
      /^node-a {2}carillon 1\.2\.3, up 0 s, configuration valid, 2 of 2 members alive$/m,
    )
    expect(status.out).toMatch(/^default\/web +192\.168\.1\.240 +node-a +0 s +node-d$/m)
    const json = JSON.parse((await carillon('status', '--http', at(), '--json')).out) as SpeakerStatus
    expect(json).toMatchObject({
      node: 'node-a',
      version: '1.2.3',
      services: [{ owner: 'node-a', succession: ['node-a', 'node-d'] }],
    })
  })

  it('can be about an address, in any spelling, or a Service', async () => {
    for (const what of ['192.168.1.240', 'default/web', '::ffff:192.168.1.240']) {
      expect(await carillon('where', what, '--http', at())).toEqual({
        code: 0,
        out: 'default/web (192.168.1.240) is at node-a for 0 s; next in line: node-d',
        err: '',
      })
    }
    expect(await carillon('where', '10.0.0.1', '--http', at())).toMatchObject({
      code: 1,
      err: expect.stringContaining('10.0.0.1'),
    })
  })

  it('can be about the reasons', async () => {
    const { code, out } = await carillon('explain', 'default/web', '--http', at())
    expect(code).toBe(0)
    expect(out).toMatch(/^Succession +node-a > node-d$/m)
    expect(out).toMatch(/^Silent +node-d, layer2: notOwner/m)
  })

  const withBgp = (): Resource[] => {
    const bgp = [
      cluster[0],
      {
        apiVersion: 'metallb.io/v1beta1',
        kind: 'BGPAdvertisement',
        metadata: { name: 'b' },
        spec: { localPref: 7 },
      },
      {
        apiVersion: 'metallb.io/v1beta2',
        kind: 'BGPPeer',
        metadata: { name: 'tor' },
        spec: {
          myASN: 1,
          peerASN: 2,
          peerAddress: '10.9.9.1',
          nodeSelectors: [{ matchLabels: { 'kubernetes.io/hostname': 'node-a' } }],
        },
      },
      ...cluster.slice(2),
    ]
    return resources(JSON.stringify(bgp))
  }

  it('can be about BGP: routes, peers and sessions', async () => {
    source.set(withBgp())
    sessions = [tor]
    speaker.replan()
    const [status, where, explained] = [
      await carillon('status', '--http', at()),
      await carillon('where', 'default/web', '--http', at()),
      await carillon('explain', 'default/web', '--http', at()),
    ]
    expect(status.out).toMatch(/^default\/web +192\.168\.1\.240 +bgp node-a/m)
    expect(status.out).toMatch(/^PEER +ADDRESS +STATE +FOR +ROUTES +BFD +HOW$/m)
    expect(status.out).toMatch(
      /^tor +10\.9\.9\.1 +Established +0 s +1 +up +eBGP with AS 2 \(tor-1\), IPv4, hold time 90 s, route refresh, graceful restart, peer 120 s$/m,
    )
    expect(where.out).toBe('default/web (192.168.1.240): node-a announces 192.168.1.240/32 by BGP to tor')
    expect(where.code).toBe(0)
    expect(explained.out).toMatch(/^Announced +192\.168\.1\.240\/32 by node-a, bgp, to tor \(localPref 7\)$/m)
    expect(explained.out).toMatch(
      /^Silent +node-d, bgp: noPeer \(the node has no BGP session that would carry the routes; look at /m,
    )
    expect(explained.out).toMatch(
      /^Session +node-a > tor \(10\.9\.9\.1\): Established for 0 s, BFD up for 0 s; eBGP/m,
    )
    const { negotiated: _, ...closed } = tor
    sessions = [
      {
        ...closed,
        state: 'Active',
        downSince: new Date(tor.since.getTime() - 300_000),
        waiting: 'next attempt in 5 s',
        lastError: { at: tor.since, code: 'HOLD_TIMER_EXPIRED', message: 'nothing was heard for 90 s' },
      },
    ]
    const broken = await carillon('status', '--http', at())
    expect(broken.out).toMatch(
      /^tor .* Active +5 min .* nothing was heard for 90 s \(0 s ago\); next attempt in 5 s$/m,
    )
  })

  it('can be about the sessions alone', async () => {
    expect(await carillon('bgp', 'sessions', '--http', at())).toMatchObject({
      code: 1,
      out: 'node-a has no BGP session: no BGPPeer selects it',
    })
    sessions = [tor, { ...tor, peer: 'tor-2', state: 'Active' }]
    const both = await carillon('bgp', 'sessions', '--http', at())
    expect(both.out).toMatch(/^tor +10\.9\.9\.1 +Established/m)
    expect(both.code).toBe(1)
    const one = await carillon('bgp', 'sessions', '--peer', 'tor', '--json', '--http', at())
    expect(JSON.parse(one.out)).toMatchObject([{ peer: 'tor', state: 'Established' }])
    expect(one.code).toBe(0)
  })

  it('can be about the routes: whether each peer has been told', async () => {
    source.set(withBgp())
    speaker.replan()
    const waiting = await carillon('bgp', 'routes', '--http', at())
    expect(waiting.out).toMatch(/^192\.168\.1\.240\/32 +tor +pending +7 +- +default\/web +-$/m)
    expect(waiting.code).toBe(1)
    told = [{ address: '192.168.1.240/32', state: 'announced', via: ['tor'] }]
    const done = await carillon('bgp', 'routes', '--json', '--http', at())
    expect(JSON.parse(done.out)).toEqual([
      {
        prefix: '192.168.1.240/32',
        peer: 'tor',
        state: 'announced',
        error: null,
        localPref: 7,
        communities: [],
        services: ['default/web'],
        also: [],
      },
    ])
    expect(done.code).toBe(0)
  })

  it('can be about the pools, and who waits for an address', async () => {
    expect(await carillon('pools', '--http', at())).toEqual({
      code: 0,
      out: 'POOL  IPV4        USED  FREE  IPV6  USED  FREE\np     ##########  1     0     -     -     -',
      err: '',
    })
    const second = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'late' },
      spec: { type: 'LoadBalancer' },
    }
    source.set(resources(JSON.stringify([...cluster, second])))
    speaker.replan()
    const { code, out } = await carillon('pools', '--http', at())
    expect(out).toMatch(/^default\/\w+ waits: /m)
    expect(code).toBe(1)
  })

  it('can be about what happened', async () => {
    const { code, out } = await carillon('events', '--http', at())
    expect(code).toBe(0)
    expect(out).toMatch(/^\S+Z {2}started +speaker of node-a started$/m)
    expect(out).toMatch(/^\S+Z {2}ownerChanged +default\/web \(192\.168\.1\.240\): nobody -> node-a$/m)
    const json = JSON.parse((await carillon('events', '--json', '--http', at())).out) as { type: string }[]
    expect(json.map(({ type }) => type)).toContain('configurationApplied')
  })

  it('can be about a node that is to go', async () => {
    const { code, out } = await carillon('drain', 'node-a', '--dry-run', '--http', at())
    expect(out).toMatch(/^192\.168\.1\.240 +default\/web +layer2 +moves to node-d$/m)
    expect(code).toBe(0)
    expect(await carillon('drain', 'node-z', '--dry-run', '--http', at())).toMatchObject({
      code: 1,
      err: 'carillon: node-z: there is no such node; known are node-a, node-d',
    })
  })

  it('find nobody where no speaker runs', async () => {
    const port = server.at.port
    await server[Symbol.asyncDispose]()
    expect(await carillon('status', '--http', `127.0.0.1:${port}`)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/^carillon: no speaker answers at 127\.0\.0\.1:\d+: /),
    })
  })

  it('can be asked by probes and by Prometheus, too', async () => {
    expect((await get('/healthz')).status).toBe(200)
    expect(await (await get('/readyz')).json()).toMatchObject({ status: 'ready', configuration: 'valid' })
    const metrics = await (await get('/metrics')).text()
    expect(metrics).toMatch(/^metallb_allocator_addresses_in_use_total\{pool="p"\} 1$/m)
    expect(metrics).toMatch(/^metallb_k8s_client_config_loaded_bool 1$/m)
    expect((await get('/nothing')).status).toBe(404)
  })

  it('learn that a broken configuration is not in force, while what runs goes on', async () => {
    source.set(resources(JSON.stringify(cluster).replace('240/32', '240/33')))
    speaker.replan()
    const { code, out } = await carillon('status', '--http', at())
    expect(code).toBe(0)
    expect(out).toMatch(/configuration stale/)
    expect(out).toMatch(/^error: IPAddressPool p spec\.addresses\[0\]: /m)
    expect((await get('/readyz')).status).toBe(200)
  })
})
