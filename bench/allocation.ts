import { Allocator, type Config, type Pool, type Service } from '@carillon/core'
import type { BenchResult } from './support/result.ts'

const many = 10_000
/** Changes that only warm the machine up, and changes that count. */
const warmUp = 100
const rounds = 400

/** A pool of one range, given by its first and last address as numbers. */
const pool = (name: string, family: 4 | 6, first: bigint, size: bigint): Pool => ({
  name,
  labels: {},
  entries: [],
  ranges: [{ family, first, last: first + size - 1n }],
  autoAssign: true,
  avoidBuggyIPs: false,
  l2Advertisements: [],
  bgpAdvertisements: [],
})

const service = (n: number, family: 4 | 6): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: `service-${String(n).padStart(6, '0')}`,
    namespace: `team-${n % 50}`,
    labels: {},
    annotations: {},
  },
  spec: {
    type: 'LoadBalancer',
    clusterIPs: [family === 4 ? '10.96.0.1' : 'fd00:96::1'],
    ipFamilies: [family === 4 ? 'IPv4' : 'IPv6'],
    externalTrafficPolicy: 'Cluster',
    selector: {},
    ports: [{ protocol: 'TCP', port: 80 }],
  },
  status: { loadBalancer: { ingress: [] } },
})

/** The Service asks for the address with its own number, as Services without Kubernetes should. */
const pinned = (n: number): Service => {
  const one = service(n, 4)
  const address = `10.${n >>> 16}.${(n >>> 8) & 255}.${n & 255}`
  return { ...one, metadata: { ...one.metadata, annotations: { 'metallb.io/loadBalancerIPs': address } } }
}

const v4 = pool('large', 4, 0x0a00_0000n, 1n << 20n)
const huge = pool('huge', 6, 0xfd00n << 112n, 1n << 64n)
const full = pool('full', 4, 0x0a00_0000n, BigInt(many))

/** CPU time of this process that `run` takes, in milliseconds. */
function cpu(run: () => void): number {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

function percentiles(name: string, samples: readonly number[], note: string): BenchResult[] {
  const sorted = [...samples].sort((a, b) => a - b)
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] as number
  return [
    { name: `${name}, p50`, value: at(0.5), unit: 'ms', note },
    { name: `${name}, p99`, value: at(0.99), unit: 'ms', note },
  ]
}

interface Scene {
  readonly title: string
  readonly pools: readonly Pool[]
  readonly services: readonly Service[]
  /** The list after each round's change. */
  readonly change: (services: readonly Service[], round: number) => readonly Service[]
  readonly changeTitle: string
  readonly standalone?: boolean
  readonly goal?: string
}

const list = (count: number, family: 4 | 6): readonly Service[] =>
  Array.from({ length: count }, (_, n) => service(n, family))
const append =
  (family: 4 | 6) =>
  (services: readonly Service[], round: number): readonly Service[] => [
    ...services,
    service(many + round, family),
  ]
/** Alternately takes one Service away and brings it back. */
const flicker = (services: readonly Service[], round: number): readonly Service[] => {
  const n = (round * 7919) % many
  return round % 2 === 0 ? services.toSpliced(n, 1) : services
}
const touch = (services: readonly Service[], round: number): readonly Service[] => {
  const n = (round * 7919) % many
  const old = services[n] as Service
  return services.with(n, { ...old, metadata: { ...old.metadata, resourceVersion: String(round) } })
}

const scenes: readonly Scene[] = [
  {
    title: 'IPv4 pool',
    pools: [v4],
    services: list(many, 4),
    change: append(4),
    changeTitle: 'one more Service',
  },
  {
    title: 'IPv4 pool',
    pools: [v4],
    services: list(many, 4),
    change: touch,
    changeTitle: 'one Service edited',
  },
  {
    title: 'IPv4 pool',
    pools: [v4],
    services: list(many, 4),
    change: flicker,
    changeTitle: 'one Service gone or back',
  },
  {
    title: 'IPv6 pool of 2^64',
    pools: [huge],
    services: list(many, 6),
    change: append(6),
    changeTitle: 'one more Service',
  },
  {
    title: 'full pool, 1,000 waiting',
    pools: [full],
    services: list(many + 1000, 4),
    change: append(4),
    changeTitle: 'one more Service',
  },
  {
    title: 'full pool, 1,000 waiting',
    pools: [full],
    services: list(many + 1000, 4),
    change: flicker,
    changeTitle: 'one Service gone or back',
  },
  {
    title: 'standalone, addresses pinned',
    pools: [v4],
    services: Array.from({ length: many }, (_, n) => pinned(n)),
    change: (services, round) => [...services, pinned(many + round)],
    changeTitle: 'one more Service',
    standalone: true,
  },
  {
    title: 'standalone',
    pools: [v4],
    services: list(many, 4),
    change: touch,
    changeTitle: 'one Service edited',
    standalone: true,
  },
  {
    title: 'standalone',
    pools: [v4],
    services: list(many, 4),
    change: append(4),
    changeTitle: 'one more Service before thousands, all of which move up',
    standalone: true,
    goal: 'no goal: each of them changes',
  },
]

function play({
  title,
  pools,
  services,
  change,
  changeTitle,
  standalone = false,
  goal = 'goal: below 1 ms',
}: Scene): BenchResult[] {
  const config: Pick<Config, 'pools'> = { pools }
  const namespaces: readonly never[] = []
  const colds: number[] = []
  let allocator = new Allocator({ standalone })
  for (let i = 0; i < 3; i++) {
    allocator = new Allocator({ standalone })
    colds.push(cpu(() => allocator.update({ services, namespaces, config })))
  }
  // What building the lists left behind is not part of a change.
  globalThis.gc?.()
  const grows = change !== flicker
  let now = services
  const samples: number[] = []
  for (let round = 0; round < warmUp + rounds; round++) {
    const next = change(grows ? now : services, round)
    if (grows) now = next
    const taken = cpu(() => allocator.update({ services: next, namespaces, config }))
    if (round >= warmUp) samples.push(taken)
  }
  const note = `${many.toLocaleString('en')} assigned; CPU time of one update; ${goal}`
  return [
    {
      name: `${services.length.toLocaleString('en')} Services, cold (${title})`,
      value: colds[0] as number,
      unit: 'ms',
      note: 'CPU time of the first update; goal: below 500 ms',
    },
    ...percentiles(`${changeTitle} (${title})`, samples, note),
  ]
}

/** Times a cold allocation of 10,000 Services, and single changes among them. */
export async function run(): Promise<BenchResult[]> {
  const seen = new Set<string>()
  return scenes.flatMap(play).filter(({ name }) => {
    if (seen.has(name)) return false
    seen.add(name)
    return true
  })
}
