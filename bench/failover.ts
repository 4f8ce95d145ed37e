import { stderr } from 'node:process'
import { serfDetection } from './support/detection.ts'
import type { BenchResult } from './support/result.ts'
import { choice, count } from './support/settings.ts'
import { carillon, keepalived, type SpeakerKind } from './support/speakers.ts'
import { largest, median } from './support/statistics.ts'
import { type Family, type Fault, families, faults, type Takeover, TakeoverLab } from './support/takeover.ts'

const kinds = [carillon('fast'), carillon('lan'), keepalived(1), keepalived(0.1)]

/** What is to be measured; see `run`. */
const plan = {
  runs: () => count('CARILLON_BENCH_RUNS', 3),
  nodes: () => choice('CARILLON_BENCH_NODES', ['3', '5']).map(Number),
  speakers: () => choice('CARILLON_BENCH_SPEAKERS', [...kinds.map(({ name }) => name), 'serf']),
  faults: () => choice('CARILLON_BENCH_FAULTS', faults),
  families: () => choice('CARILLON_BENCH_FAMILIES', ['4', '6']).map(Number) as readonly Family[],
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
 * How long a client that asks every 5 ms goes without an answer when the owner of the address has a fault. One address, IPv4 or IPv6, on
 * 3 and on 5 nodes of one segment. Chosen by the environment: `CARILLON_BENCH_RUNS` of each combination (3; 10 or more for figures to
 * rely on), and lists of what to leave in: `CARILLON_BENCH_NODES`, `_SPEAKERS`, `_FAULTS`, `_FAMILIES`.
 */
export async function run(): Promise<BenchResult[]> {
  const cells: Cell[] = []
  const serf: BenchResult[] = []
  for (const nodes of plan.nodes()) {
    for (const kind of kinds) {
      if (!plan.speakers().includes(kind.name)) continue
      // Its wait follows from its configuration and not from the number of nodes.
      if (kind.name !== 'fast' && nodes !== plan.nodes()[0]) continue
      cells.push(...(await measure(kind, nodes)))
    }
    if (plan.speakers().includes('serf')) serf.push(...(await measureSerf(nodes)))
  }
  return [...rows(cells), ...serf]
}

async function measure(kind: SpeakerKind, nodes: number): Promise<Cell[]> {
  const cells: Cell[] = []
  await using lab = await TakeoverLab.build(kind, nodes)
  for (const fault of plan.faults()) {
    for (const family of families.filter(one => plan.families().includes(one))) {
      const runs: Takeover[] = []
      for (let i = 0; i < plan.runs(); i++) runs.push(await lab.run(fault, family))
      const cell = { kind, nodes, fault, family, runs }
      cells.push(cell)
      stderr.write(`${title(cell)}: ${gaps(cell).map(Math.round).join(' ')} ms\n`)
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
    const row: BenchResult = { name: title(cell), value: median(gaps(cell)), unit: 'ms', note: note(cell) }
    return peer ? { ...row, peer: { name: peer.kind.name, value: median(gaps(peer)) } } : row
  })
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

async function measureSerf(nodes: number): Promise<BenchResult[]> {
  const results: BenchResult[] = []
  for (const fault of ['cut', 'killed'] as const) {
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
  }
  return results
}
