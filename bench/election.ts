import { createHash } from 'node:crypto'
import {
  type AddressPlan,
  type Advertisement,
  Allocator,
  type BGPAdvertisement,
  type BGPPeer,
  type EndpointSlice,
  emptySnapshot,
  Hasher,
  type IPAddressPool,
  type L2Advertisement,
  type Node,
  type PlanInputs,
  Planner,
  parseConfig,
  type Service,
  type Snapshot,
} from '@carillon/core'
import type { BenchResult } from './support/result.ts'

const nodeCount = 1000
const serviceCount = 10_000

const pool: IPAddressPool = {
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  metadata: { name: 'pool', labels: {}, annotations: {} },
  spec: { addresses: ['10.64.0.0/16'], autoAssign: true, avoidBuggyIPs: false },
}

const advertisement: L2Advertisement = {
  apiVersion: 'metallb.io/v1beta1',
  kind: 'L2Advertisement',
  metadata: { name: 'all', labels: {}, annotations: {} },
  spec: {},
}

const routed: BGPAdvertisement = {
  apiVersion: 'metallb.io/v1beta1',
  kind: 'BGPAdvertisement',
  metadata: { name: 'all', labels: {}, annotations: {} },
  spec: { aggregationLength: 32, aggregationLengthV6: 128, communities: ['65000:1'] },
}

const router = (name: string, peerAddress: string): BGPPeer => ({
  apiVersion: 'metallb.io/v1beta2',
  kind: 'BGPPeer',
  metadata: { name, labels: {}, annotations: {} },
  spec: {
    myASN: 64512,
    peerASN: 64513,
    peerAddress,
    peerPort: 179,
    disableMP: false,
    dualStackAddressFamily: false,
  },
})

function node(index: number): Node {
  const name = `node-${index}`
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name }, annotations: {} },
    spec: { unschedulable: false, taints: [] },
    status: { conditions: [{ type: 'Ready', status: 'True' }], addresses: [] },
  }
}

function service(name: string): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default', labels: { app: name }, annotations: {} },
    spec: {
      type: 'LoadBalancer',
      clusterIPs: ['10.96.0.1'],
      ipFamilies: ['IPv4'],
      externalTrafficPolicy: 'Cluster',
      selector: {},
      ports: [{ protocol: 'TCP', port: 80 }],
    },
    status: { loadBalancer: { ingress: [] } },
  }
}

function slice(of: string, host: string, ready: boolean): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${of}-slice`,
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': of },
      annotations: {},
    },
    addressType: 'IPv4',
    endpoints: [{ addresses: ['10.244.0.1'], conditions: { ready }, nodeName: host }],
  }
}

/** Snapshot -> allocation -> plan, as a speaker replays it, with the list that one node announces. */
class Replay {
  readonly #allocator = new Allocator()
  readonly #planner = new Planner()
  readonly #config
  snapshot: Snapshot

  constructor(snapshot: Snapshot) {
    this.snapshot = snapshot
    const { config } = parseConfig(snapshot)
    if (!config) throw new Error('the configuration of the benchmark is invalid')
    this.#config = config
  }

  allocate(): PlanInputs['allocation'] {
    const { services, namespaces } = this.snapshot
    return this.#allocator.update({ services, namespaces, config: this.#config })
  }

  plan(allocation: PlanInputs['allocation'], alive?: ReadonlySet<string>): Mine {
    const plan = this.#planner.update({
      snapshot: this.snapshot,
      config: this.#config,
      allocation,
      alive,
      standalone: false,
      ignoreExcludeLb: false,
    })
    const routes = plan.advertisementsFor('node-7', 'each')
    return { mine: plan.advertisementsFor('node-7', 'one'), routes, addresses: plan.addresses }
  }
}

interface Mine {
  readonly mine: readonly Advertisement[]
  readonly routes: readonly Advertisement[]
  readonly addresses: ReadonlyMap<string, AddressPlan>
}

function milliseconds(run: () => void): number {
  const started = performance.now()
  run()
  return performance.now() - started
}

/** CPU time of this process, all threads, in milliseconds. */
function cpu(run: () => void): number {
  const started = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(started)
  return (user + system) / 1000
}

const median = (figures: readonly number[]): number =>
  figures.toSorted((a, b) => a - b)[figures.length >> 1] ?? 0

/**
 * The longest prefix of all pairs that can be hashed in about a second, so that slow peers do not hold up the
 * rest.
 */
function hashesPerSecond(hash: (node: string, address: string) => void): number {
  const started = performance.now()
  let count = 0
  for (let i = 0; performance.now() - started < 1000; i++) {
    for (let j = 0; j < 1000; j++) hash(`node-${j}`, `10.64.${i >> 8}.${i & 255}`)
    count += 1000
  }
  return (1000 * count) / (performance.now() - started)
}

const rounds = 300

/** CPU of `rounds` changes, each of the endpoints of one Service. */
function changeEndpoints(replay: Replay, alive: ReadonlySet<string>): readonly number[] {
  return Array.from({ length: rounds }, (_, i) => {
    const at = (i * 7919) % serviceCount
    const { endpointSlices } = replay.snapshot
    const before = endpointSlices[at]?.endpoints[0]?.conditions.ready
    const changed = slice(`service-${at}`, `node-${i}`, before !== true)
    replay.snapshot = { ...replay.snapshot, endpointSlices: endpointSlices.with(at, changed) }
    return cpu(() => void replay.plan(replay.allocate(), alive))
  })
}

/** The same cluster announced by BGP to two routers: the first plan, a lost node, a changed Service. */
function routes(
  base: Snapshot,
  everybody: ReadonlySet<string>,
  lost: ReadonlySet<string>,
): readonly BenchResult[] {
  const bgpPeers = [router('tor-1', '10.0.0.1'), router('tor-2', '10.0.0.2')]
  const replay = new Replay({ ...base, l2Advertisements: [], bgpAdvertisements: [routed], bgpPeers })
  const allocation = replay.allocate()
  let first: Mine | undefined
  const cold = milliseconds(() => {
    first = replay.plan(allocation, everybody)
  })
  if (first?.routes.length !== serviceCount) throw new Error('not every route of the benchmark is planned')
  const losses = Array.from({ length: 21 }, () => {
    const ms = milliseconds(() => void replay.plan(allocation, lost))
    replay.plan(allocation, everybody)
    return ms
  })
  const size = '1,000 nodes, 10,000 prefixes, 2 peers; with the list of one node'
  return [
    { name: 'first plan, BGP', value: cold, unit: 'ms', note: `${size}; goal 2,000` },
    {
      name: 'one node lost, BGP',
      value: median(losses),
      unit: 'ms',
      note: `${size}; median of ${losses.length}`,
    },
    {
      name: 'one endpoint change, BGP, allocation and plan',
      value: median(changeEndpoints(replay, everybody)),
      unit: 'ms',
      note: `CPU, ${size}; median of ${rounds}; goal 1`,
    },
    aggregate(base, everybody),
  ]
}

/** The same with one prefix for all Services, which is announced as long as one of them can be served. */
function aggregate(base: Snapshot, everybody: ReadonlySet<string>): BenchResult {
  const wide = { ...routed, spec: { ...routed.spec, aggregationLength: 16 } }
  const bgpPeers = [router('tor-1', '10.0.0.1')]
  const replay = new Replay({ ...base, l2Advertisements: [], bgpAdvertisements: [wide], bgpPeers })
  const { routes: planned } = replay.plan(replay.allocate(), everybody)
  if (planned.length !== 1 || planned[0]?.services.length !== serviceCount)
    throw new Error('the benchmark plans another aggregate than it means to')
  return {
    name: 'one endpoint change, BGP, all Services in one aggregate',
    value: median(changeEndpoints(replay, everybody)),
    unit: 'ms',
    note: `CPU, 1,000 nodes, 10,000 Services, 1 prefix; with the list of one node; median of ${rounds}; goal 1`,
  }
}

/**
 * Who speaks for what: at first, and when one thing changes. 1,000 nodes, 10,000 Services with an address
 * each.
 */
export async function run(): Promise<BenchResult[]> {
  const nodes = Array.from({ length: nodeCount }, (_, i) => node(i))
  const names = Array.from({ length: serviceCount }, (_, i) => `service-${i}`)
  const base: Snapshot = {
    ...emptySnapshot,
    pools: [pool],
    l2Advertisements: [advertisement],
    nodes,
    services: names.map(service),
    endpointSlices: names.map((name, i) => slice(name, `node-${i % nodeCount}`, true)),
  }
  const replay = new Replay(base)

  let allocation = replay.allocate()
  let owned: Mine | undefined
  const cold = milliseconds(() => {
    owned = replay.plan(allocation)
  })
  if (owned?.addresses.size !== serviceCount) throw new Error('not every address of the benchmark is planned')

  const everybody = new Set(nodes.map(({ metadata }) => metadata.name))
  const lost = new Set([...everybody].filter(name => name !== 'node-500'))
  replay.plan(allocation, everybody)
  const losses: number[] = []
  const joins: number[] = []
  for (let i = 0; i < 21; i++) {
    losses.push(milliseconds(() => replay.plan(allocation, lost)))
    joins.push(milliseconds(() => replay.plan(allocation, everybody)))
  }

  const additions: number[] = []
  const additionPlans: number[] = []
  for (let i = 0; i < rounds; i++) {
    const name = `added-${i}`
    const { services, endpointSlices } = replay.snapshot
    replay.snapshot = {
      ...replay.snapshot,
      services: [...services, service(name)],
      endpointSlices: [...endpointSlices, slice(name, 'node-1', true)],
    }
    additions.push(
      cpu(() => {
        allocation = replay.allocate()
        additionPlans.push(milliseconds(() => replay.plan(allocation, everybody)))
      }),
    )
  }

  const changes = changeEndpoints(replay, everybody)
  const byBgp = routes(base, everybody, lost)

  const hasher = new Hasher(0)
  const candidates = [...everybody]
  const addresses = Array.from({ length: 1000 }, (_, i) => `10.65.${i >> 8}.${i & 255}`)
  hasher.least(candidates, addresses)
  const kernel =
    (1000 * candidates.length * addresses.length) / milliseconds(() => hasher.least(candidates, addresses))
  const script = new Hasher(Number.POSITIVE_INFINITY)
  const scripted = hashesPerSecond((name, address) => script.heads(name, [address]))
  const crypto = hashesPerSecond((name, address) =>
    createHash('sha256').update(`${name}#${address}`).digest(),
  )

  const size = '1,000 nodes, 10,000 addresses'
  return [
    { name: 'first plan', value: cold, unit: 'ms', note: `${size}; goal 2,000` },
    { name: 'one node lost', value: median(losses), unit: 'ms', note: `${size}; median of ${losses.length}` },
    { name: 'one node joins', value: median(joins), unit: 'ms', note: `${size}; median of ${joins.length}` },
    {
      name: 'one Service more, allocation and plan',
      value: median(additions),
      unit: 'ms',
      note: `CPU, ${size}; median of ${rounds}, of it plan ${median(additionPlans).toFixed(2)}; goal 1`,
    },
    {
      name: 'one endpoint change, allocation and plan',
      value: median(changes),
      unit: 'ms',
      note: `CPU, ${size}; median of ${rounds}; goal 1`,
    },
    ...byBgp,
    {
      name: 'election hashes, vector kernel',
      value: kernel,
      unit: '1/s',
      peer: { name: 'node:crypto', value: crypto },
    },
    {
      name: 'election hashes, plain script',
      value: scripted,
      unit: '1/s',
      peer: { name: 'node:crypto', value: crypto },
    },
  ]
}
