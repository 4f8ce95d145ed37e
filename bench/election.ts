import { createHash } from 'node:crypto'
import {
  type AddressPlan,
  type Advertisement,
  Allocator,
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
    return { mine: plan.advertisementsFor('node-7', 'one'), addresses: plan.addresses }
  }
}

interface Mine {
  readonly mine: readonly Advertisement[]
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

/**
 * Who speaks for what: at first, and when one thing changes. 1,000 nodes, 10,000 Services with an address
 * each.
 */
export async function run(): Promise<BenchResult[]> {
  const nodes = Array.from({ length: nodeCount }, (_, i) => node(i))
  const names = Array.from({ length: serviceCount }, (_, i) => `service-${i}`)
  const replay = new Replay({
    ...emptySnapshot,
    pools: [pool],
    l2Advertisements: [advertisement],
    nodes,
    services: names.map(service),
    endpointSlices: names.map((name, i) => slice(name, `node-${i % nodeCount}`, true)),
  })

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
  const rounds = 300
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

  const changes: number[] = []
  for (let i = 0; i < rounds; i++) {
    const at = (i * 7919) % serviceCount
    const { endpointSlices } = replay.snapshot
    const before = endpointSlices[at]?.endpoints[0]?.conditions.ready
    const changed = slice(`service-${at}`, `node-${i}`, before !== true)
    replay.snapshot = { ...replay.snapshot, endpointSlices: endpointSlices.with(at, changed) }
    changes.push(
      cpu(() => {
        allocation = replay.allocate()
        replay.plan(allocation, everybody)
      }),
    )
  }

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
