import { env, stderr } from 'node:process'
import { serfDetection } from './support/detection.ts'
import type { BenchResult } from './support/result.ts'
import { choice, count } from './support/settings.ts'
import { carillon, keepalived, type SpeakerKind } from './support/speakers.ts'
import { largest, median } from './support/statistics.ts'
import { type Family, type Fault, families, faults, type Takeover, TakeoverLab } from './support/takeover.ts'

const kinds = [carillon('fast'), keepalived(0.1), carillon('lan'), keepalived(1)]
const faultsOfSerf = ['cut', 'killed'] as const

/** Debian packages that are measured beside us. */
export const peers = ['keepalived', 'serf']

/** What is to be measured; see `run`. */
const plan = {
  runs: () => count('CARILLON_BENCH_RUNS', 3),
  nodes: () => choice('CARILLON_BENCH_NODES', ['3', '5']).map(Number),
  speakers: () =>
    choice('CARILLON_BENCH_SPEAKERS', [...kinds.map(({ name }) => name), 'serf']).filter(installed),
  faults: () => choice('CARILLON_BENCH_FAULTS', faults),
  families: () => choice('CARILLON_BENCH_FAMILIES', ['4', '6']).map(Number) as readonly Family[],
}

function installed(speaker: string): boolean {
  const [program = ''] = speaker.split(' ')
  const missing = (env.CARILLON_MISSING ?? '').split(',').includes(program)
  if (missing) stderr.write(`${program} is not installed, and left out\n`)
  return !missing
}

const words: Readonly<Record<Fault, string>> = {
  cut: 'link cut',
  unplugged: 'link down',
  killed: 'kill -9',
  frozen: 'freeze',
  stopped: 'SIGTERM',
}

interface Cell {
  readonly kind: SpeakerKind
  readonly nodes: number
  readonly fault: Fault
  readonly family: Family
  readonly runs: readonly Takeover[]
}

/**
 * How long a client that asks every 5 ms goes without an answer when the owner of the addresses has a fault, an IPv4 and an IPv6 address
 * at once, on 3 and on 5 nodes of one segment. Chosen by the environment: `CARILLON_BENCH_RUNS` of each combination (3; 10 or more for
 * figures to rely on), and lists of what to leave in: `CARILLON_BENCH_NODES`, `_SPEAKERS`, `_FAULTS`, `_FAMILIES`.
 */
export async function run(): Promise<BenchResult[]> {
  const [speakers, sizes] = [plan.speakers(), plan.nodes()]
  const cells: Cell[] = []
  const wanted = kinds.filter(({ name }) => speakers.includes(name))
  for (const kind of wanted.filter(({ name }) => name === 'fast'))
    for (const nodes of sizes) cells.push(...(await measure(kind, nodes)))
  // What the others wait for follows from their configuration and not from the number of nodes.
  const rest = wanted.filter(({ name }) => name !== 'fast')
  const [least = 3] = sizes
  for (const kind of rest.filter(({ patienceMs }) => patienceMs < patient))
    cells.push(...(await measure(kind, least)))
  // These do nothing for seconds, and do not disturb each other meanwhile.
  const [serf, ...slow] = await Promise.all([
    speakers.includes('serf') ? measureSerf(sizes) : [],
    ...rest.filter(({ patienceMs }) => patienceMs >= patient).map(kind => measure(kind, least)),
  ])
  return [...rows([...cells, ...slow.flat()]), ...serf]
}

/** Milliseconds of patience from which on a kind counts as slow. */
const patient = 5000

async function measure(kind: SpeakerKind, nodes: number): Promise<Cell[]> {
  const asked = families.filter(one => plan.families().includes(one))
  const cells = plan
    .faults()
    .flatMap(fault => asked.map(family => ({ kind, nodes, fault, family, runs: [] as Takeover[] })))
  await using lab = await TakeoverLab.build(kind, nodes, asked)
  for (let i = 1; i <= plan.runs(); i++) {
    for (const fault of plan.faults()) {
      const from = performance.now()
      const seen = await lab.run(fault)
      for (const cell of cells) {
        const takeover = cell.fault === fault ? seen.get(cell.family) : undefined
        if (takeover) cell.runs.push(takeover)
      }
      const told = [...seen].map(([family, { gapMs }]) => `IPv${family} ${Math.round(gapMs)} ms`).join(', ')
      const seconds = ((performance.now() - from) / 1000).toFixed(1)
      stderr.write(`${words[fault]}, ${nodes} nodes, ${kind.name}: ${told} (run ${i}, ${seconds} s)\n`)
    }
  }
  return cells
}

const gaps = ({ runs }: Cell): readonly number[] => runs.map(({ gapMs }) => gapMs)

const title = ({ kind, nodes, fault, family }: Cell): string =>
  `${words[fault]}, IPv${family}, ${nodes} nodes, ${kind.name}`

function rows(cells: readonly Cell[]): BenchResult[] {
  return cells.map(cell => {
    const same = cells.filter(({ fault, family }) => fault === cell.fault && family === cell.family)
    const beside = (name: string): Cell | undefined => same.find(({ kind }) => kind.name === name)
    const ours = cell.kind.mute
    const peer = ours ? (beside('keepalived 0.1') ?? beside('keepalived 1')) : undefined
    const row: BenchResult = {
      name: title(cell),
      value: median(gaps(cell)),
      unit: 'ms',
      note: note(cell),
      ...drawn(cell),
    }
    return peer ? { ...row, peer: { name: peer.kind.name, value: median(gaps(peer)) } } : row
  })
}

/** Its line of the drawing. IPv6 goes by the same clock as IPv4, and has no line of its own. */
function drawn(cell: Cell): Pick<BenchResult, 'series'> {
  const { kind, nodes, fault, family } = cell
  if (family !== 4) return {}
  const line = kind.mute ? `carillon ${kind.name}, ${nodes} nodes` : kind.name.replace(' ', ', advert_int ')
  return { series: { chart: charts[fault], line, ours: kind.mute, values: gaps(cell) } }
}

const charts: Readonly<Record<Fault, string>> = {
  cut: 'The node is gone (link cut)',
  unplugged: 'The node is gone (link down)',
  killed: 'The speaker is killed, its node lives (kill -9)',
  frozen: 'The speaker is frozen, its node lives (SIGSTOP)',
  stopped: 'The speaker is told to stop (SIGTERM)',
}

/** Medians with the largest behind them. */
function note({ runs, fault }: Cell): string {
  const pair = (values: readonly number[]): string =>
    values.length === 0 ? 'never' : `${Math.round(median(values))} (${Math.round(largest(values))})`
  const others = runs.flatMap(({ otherMs }) => (otherMs === undefined ? [] : [otherMs]))
  const said = [
    `max ${Math.round(largest(runs.map(({ gapMs }) => gapMs)))}`,
    `lost ${pair(runs.map(({ lost }) => lost))}`,
    `other after ${pair(others)}${others.length < runs.length ? ` in ${others.length} of ${runs.length}` : ''}`,
    `changes ${pair(runs.map(({ changes }) => changes))}`,
  ]
  if (fault === 'killed' || fault === 'frozen') {
    const double = runs.filter(({ answering = 0 }) => answering > 1).length
    said.push(`two answer after 40 flushes in ${double} of ${runs.length}`)
  }
  return said.join(', ')
}

async function measureSerf(sizes: readonly number[]): Promise<BenchResult[]> {
  const results: BenchResult[] = []
  for (const nodes of sizes) {
    for (const fault of faultsOfSerf) {
      if (!plan.faults().includes(fault)) continue
      const found = await serfDetection(fault, nodes, plan.runs())
      const first = found.map(({ firstMs }) => firstMs)
      const last = found.map(({ lastMs }) => lastMs)
      results.push({
        name: `${words[fault]}, ${nodes} nodes, serf knows (memberlist, lan)`,
        value: median(first),
        unit: 'ms',
        note: `max ${Math.round(largest(first))}, the last node after ${Math.round(median(last))} (${Math.round(largest(last))})`,
      })
      stderr.write(`${words[fault]}, ${nodes} nodes, serf: ${first.map(Math.round).join(' ')} ms\n`)
    }
  }
  return results
}
