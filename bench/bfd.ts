import { type ChildProcess, spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { execPath, stderr } from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { eventually, OurEnd, Scissors } from './support/bfd-lab.ts'
import { Bfdd, frrInstalled } from './support/bfdd.ts'
import { calendar } from './support/calendar.ts'
import { bfdDown, PacketWatch } from './support/packet-watch.ts'
import type { BenchResult } from './support/result.ts'
import { ended, Segment, type SegmentNode } from './support/segment.ts'
import { choice, count } from './support/settings.ts'
import { Standstill } from './support/standstill.ts'
import { largest, median } from './support/statistics.ts'

/** Debian packages that are measured beside us. */
export const peers = ['frr']

const multiplier = 3

/**
 * How long it takes to find that a router is cut off, and how often one is missed that is there. A router, FRR where it is installed, has
 * sessions with FRR and with us, and its switch port is taken away: both are timed from the same cut to the packet by which each says
 * that the session is down. Then, with every core busy and our main threads computing, FRR watches FRR and we watch ourselves: nobody is
 * cut off, so whatever goes down is false. `CARILLON_BENCH_RUNS` cuts (5), `CARILLON_BENCH_SECONDS` of watching (10; 600 for a figure to
 * rely on), `CARILLON_BENCH_INTERVALS` of `50,10` ms.
 */
export async function run(): Promise<BenchResult[]> {
  const results: BenchResult[] = []
  for (const intervalMs of choice('CARILLON_BENCH_INTERVALS', ['50', '10']).map(Number)) {
    results.push(...(await detection(intervalMs)))
    results.push(await falseDowns(intervalMs))
  }
  return results
}

const title = (intervalMs: number): string => `${multiplier} x ${intervalMs} ms`

async function nodes(segment: Segment): Promise<[SegmentNode, SegmentNode, SegmentNode, SegmentNode]> {
  return segment.nodes as [SegmentNode, SegmentNode, SegmentNode, SegmentNode]
}

async function detection(intervalMs: number): Promise<BenchResult[]> {
  await using segment = await Segment.build('bfd', 3)
  const [router, ours, theirs] = await nodes(segment)
  const frr = frrInstalled()
  const scissors = new Scissors(segment)
  const watches = [ours, theirs].map(node => new PacketWatch(segment, node, 'out', bfdDown))
  await Promise.all(watches.map(({ ready }) => ready))
  const end = new OurEnd(segment, ours, [router.address], { intervalMs, multiplier })
  const both = [ours.address, theirs.address]
  const peers = frr
    ? [
        await Bfdd.start(segment, router, both, intervalMs, multiplier),
        await Bfdd.start(segment, theirs, [router.address], intervalMs, multiplier),
      ]
    : [new OurEnd(segment, router, both.slice(0, 1), { intervalMs, multiplier })]
  const [peer, other] = peers
  const up = async (): Promise<boolean> => {
    if (end.count('up') <= end.count('down')) return false
    return peer instanceof Bfdd && other instanceof Bfdd ? (await other.count()).up === 1 : true
  }
  const found: { readonly us: number[]; readonly told: number[]; readonly them: number[] } = {
    us: [],
    told: [],
    them: [],
  }
  try {
    for (let i = 0; i < count('CARILLON_BENCH_RUNS', 5); i++) {
      await eventually(`the sessions at ${title(intervalMs)} are up`, up)
      // Intervals are agreed on, and the cut knows nothing of the phase of anybody's timers.
      await pause(1500 + Math.random() * 500)
      const at = scissors.cut(router)
      await eventually('the cut is noticed', () =>
        watches.every((one, i) => one.first(at) || (!frr && i === 1)),
      )
      const [us, them] = watches.map(one => (one.first(at) ?? Number.NaN) - at) as [number, number]
      await eventually('we tell of it', () => end.said.some(one => one.what === 'down' && one.at > at))
      const told = end.said.find(one => one.what === 'down' && one.at > at)?.at ?? Number.NaN
      found.us.push(us)
      found.told.push(told - at)
      found.them.push(them)
      stderr.write(`${title(intervalMs)}: ours ${us.toFixed(1)} ms, FRR ${them.toFixed(1)} ms\n`)
      scissors.mend(router)
    }
  } finally {
    await Promise.all([scissors, end, ...watches, ...peers].map(one => one.stop()))
  }
  const beside = (values: readonly number[]) => frr && { peer: { name: 'FRR', value: median(values) } }
  const most = frr ? `, FRR's ${Math.round(largest(found.them))}` : ''
  return [
    {
      name: `router cut off, ${title(intervalMs)}: said to be down`,
      value: median(found.us),
      unit: 'ms',
      ...beside(found.them),
      note: `max ${Math.round(largest(found.us))}${most}, of ${found.us.length}`,
    },
    {
      name: `router cut off, ${title(intervalMs)}: the program knows`,
      value: median(found.told),
      unit: 'ms',
      note: `max ${Math.round(largest(found.told))}; the event in the main thread`,
    },
  ]
}

/** Keeps every core busy. */
function burden(): ChildProcess[] {
  const forever = 'for (;;);'
  return Array.from({ length: availableParallelism() }, () =>
    spawn(execPath, ['-e', forever], { stdio: 'ignore' }),
  )
}

async function falseDowns(intervalMs: number): Promise<BenchResult> {
  const seconds = count('CARILLON_BENCH_SECONDS', 10)
  await using segment = await Segment.build('bfd', 4)
  const [a, b, c, d] = await nodes(segment)
  const frr = frrInstalled()
  const options = { intervalMs, multiplier, busy: true }
  const ours = [new OurEnd(segment, a, [b.address], options), new OurEnd(segment, b, [a.address], options)]
  const theirs = frr
    ? [
        await Bfdd.start(segment, c, [d.address], intervalMs, multiplier),
        await Bfdd.start(segment, d, [c.address], intervalMs, multiplier),
      ]
    : []
  const busy: ChildProcess[] = []
  try {
    await eventually(`the sessions at ${title(intervalMs)} are up`, async () => {
      const counts = await Promise.all(theirs.map(one => one.count()))
      return ours.every(one => one.count('up') > one.count('down')) && counts.every(({ up }) => up === 1)
    })
    // Until the intervals are agreed on, and our main threads compute.
    await pause(4000)
    const downs = async (): Promise<[number, number]> => [
      ours.reduce((sum, one) => sum + one.count('down'), 0),
      (await Promise.all(theirs.map(one => one.count()))).reduce((sum, one) => sum + one.downs, 0),
    ]
    busy.push(...burden())
    const before = await downs()
    const clock = new Standstill()
    const from = calendar()
    await pause(seconds * 1000)
    const after = await downs()
    await clock.stop()
    const stood = `the machine as a whole stood still ${clock.lasted.length} times, for ${Math.round(Math.max(0, ...clock.lasted))} ms at most`
    const watched = Math.round((calendar() - from) / 1000)
    for (const process of busy) process.kill('SIGKILL')
    await pause(500)
    return {
      name: `false downs in ${watched} s, every core busy, ${title(intervalMs)}`,
      value: after[0] - before[0],
      unit: 'downs',
      ...(frr && { peer: { name: 'FRR', value: after[1] - before[1] } }),
      note: `of both ends of one session; our main threads compute, FRR does nothing else; ${stood}`,
    }
  } finally {
    for (const process of busy) {
      process.kill('SIGKILL')
      await ended(process)
    }
    await Promise.all([...ours, ...theirs].map(one => one.stop()))
  }
}
