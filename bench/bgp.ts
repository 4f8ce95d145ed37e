import { existsSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { env, stderr } from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { birdReceiver, birdSender } from './support/bgp/bird.ts'
import { type Cost, costOf } from './support/bgp/cost.ts'
import { ends, until } from './support/bgp/end.ts'
import { exabgpSender } from './support/bgp/exabgp.ts'
import { frrReceiver, frrSender } from './support/bgp/frr.ts'
import { gobgpSender } from './support/bgp/gobgp.ts'
import { ours } from './support/bgp/ours.ts'
import type { Receiver, ReceiverKind } from './support/bgp/receiver.ts'
import type { Sender, SenderKind } from './support/bgp/sender.ts'
import { calendar } from './support/calendar.ts'
import { bgpUpdate, PacketWatch } from './support/packet-watch.ts'
import type { BenchResult } from './support/result.ts'
import { Segment, type SegmentNode } from './support/segment.ts'
import { choice, count } from './support/settings.ts'
import { largest, median } from './support/statistics.ts'

/** Debian packages that are measured beside us. */
export const peers = ['bird2', 'frr', 'gobgpd', 'exabgp']

const senders = [ours, birdSender, gobgpSender, frrSender, exabgpSender]
const receivers = [birdReceiver, frrReceiver]
const sizes = ['1000', '10000', '100000'] as const

/** What is to be measured; see `run`. */
const plan = {
  runs: () => count('CARILLON_BENCH_RUNS', 3),
  sizes: () => choice('CARILLON_BENCH_ROUTES', sizes).map(Number),
  senders: () =>
    choice(
      'CARILLON_BENCH_SENDERS',
      senders.map(({ name }) => name),
    ),
  receivers: () =>
    choice(
      'CARILLON_BENCH_RECEIVERS',
      receivers.map(({ name }) => name),
    ),
}

/** A router that is not asked for this often, because it takes its time. */
const SLOW_RUNS = 1
/** One change is made so many times. */
const CHANGES = 20
const SESSION_SECONDS = 30
/** Whoever takes longer has no figure. */
const ROUTES_SECONDS = 60
const CHANGE_SECONDS = 10

interface Change {
  /** Until the UPDATE has arrived at the receiver's interface. */
  readonly wire: number
  /** Until the receiver says that it holds it. */
  readonly held: number
}

interface Taken extends Cost {
  /** From the command to announce until the receiver holds every route. */
  readonly seconds: number
  /** Milliseconds from the command for one route more, or again one less, among the largest number. */
  readonly changes: readonly Change[]
}

/**
 * How long it takes until BIRD and FRR hold many routes, and what that costs the sender, beside BIRD, GoBGP, FRR and ExaBGP as senders;
 * and how long one change takes among the largest number of routes. Chosen by the environment: `CARILLON_BENCH_RUNS` of each (3), and
 * lists of what to leave in: `CARILLON_BENCH_ROUTES`, `_SENDERS`, `_RECEIVERS`. All of it takes some six minutes.
 */
export async function run(): Promise<BenchResult[]> {
  const results: BenchResult[] = []
  for (const receiver of receivers.filter(
    ({ name, command }) => plan.receivers().includes(name) && installed(command),
  ))
    results.push(...(await into(receiver)))
  return results
}

/** Whether a command is there to be run. */
function installed(command: string): boolean {
  const folders = isAbsolute(command) ? [''] : [...(env.PATH ?? '').split(delimiter), '/usr/sbin']
  return folders.some(folder => existsSync(join(folder, command)))
}

async function into(receiver: ReceiverKind): Promise<BenchResult[]> {
  const results: BenchResult[] = []
  for (const size of plan.sizes()) {
    const taken = new Map<SenderKind, readonly Taken[]>()
    for (const sender of senders.filter(
      ({ name, command }) => plan.senders().includes(name) && installed(command),
    )) {
      const quick = sender === ours || sender === birdSender
      const runs: Taken[] = []
      try {
        for (let i = 0; i < (quick ? plan.runs() : Math.min(SLOW_RUNS, plan.runs())); i++)
          runs.push(await measure(sender, receiver, size))
      } catch (error) {
        // A router that fails, or takes its time, is no reason to know nothing of the others.
        if (sender === ours) throw error
        stderr.write(`${size} routes, ${sender.name} to ${receiver.name}: ${String(error)}\n`)
        continue
      }
      taken.set(sender, runs)
      stderr.write(`${size} routes, ${sender.name} to ${receiver.name}: ${describe(runs)}\n`)
    }
    results.push(...rows(receiver, size, taken))
  }
  return results
}

async function measure(sender: SenderKind, receiver: ReceiverKind, size: number): Promise<Taken> {
  await using segment = await Segment.build('bgp', 2)
  const places = ends(segment)
  const from = sender.make(places.sender)
  const to = receiver.make(places.receiver)
  await to.start()
  await from.start()
  await until('a session', SESSION_SECONDS, async () => (await to.established()) || undefined)
  await pause(500)
  const pids = from.processes()
  const before = costOf(pids)
  const began = await from.announce(size)
  const holds = (number: number) => async () => ((await to.held()) === number ? performance.now() : undefined)
  const ended = await until(`${size} routes`, ROUTES_SECONDS, holds(size))
  const { megabytes, cpuSeconds } = costOf(pids)
  const changes = size === Math.max(...plan.sizes()) ? await change(from, to, segment, size) : []
  await from.close()
  return { seconds: (ended - began) / 1000, megabytes, cpuSeconds: cpuSeconds - before.cpuSeconds, changes }
}

/** One route comes and goes among many. */
async function change(
  from: Sender,
  to: Receiver,
  segment: Segment,
  size: number,
): Promise<readonly Change[]> {
  const watch = new PacketWatch(segment, segment.nodes[1] as SegmentNode, 'in', bgpUpdate)
  await watch.ready
  const changes: Change[] = []
  for (let i = 0; i < CHANGES; i++) {
    await pause(50 + Math.random() * 100)
    const announce = i % 2 === 0
    const wanted = size + (announce ? 1 : 0)
    const ahead = calendar() - performance.now()
    const since = await from.change(announce)
    const holds = async () => ((await to.held()) === wanted ? performance.now() : undefined)
    const held = (await until('a change', CHANGE_SECONDS, holds, 1)) - since
    const arrived = await until('its packet', CHANGE_SECONDS, async () => watch.first(since + ahead))
    changes.push({ wire: arrived - since - ahead, held })
  }
  await watch.stop()
  return changes
}

const of = (runs: readonly Taken[], figure: 'seconds' | 'megabytes' | 'cpuSeconds'): number =>
  median(runs.map(one => one[figure]))

const describe = (runs: readonly Taken[]): string =>
  `${of(runs, 'seconds').toFixed(3)} s, ${of(runs, 'megabytes').toFixed(0)} MB, ${of(runs, 'cpuSeconds').toFixed(2)} s of processor time`

function rows(
  receiver: ReceiverKind,
  size: number,
  taken: ReadonlyMap<SenderKind, readonly Taken[]>,
): BenchResult[] {
  const mine = taken.get(ours)
  if (!mine) return []
  const routes = `${size.toLocaleString('en')} routes to ${receiver.name}`
  const others = [...taken].filter(([kind]) => kind !== ours)
  const row = (name: string, value: number, unit: string, note?: string): BenchResult => ({
    name,
    value,
    unit,
    ...(note !== undefined && { note }),
  })
  const beside = (result: BenchResult, theirs: (runs: readonly Taken[]) => number): BenchResult[] =>
    others.length === 0
      ? [result]
      : others.map(([{ name }, runs]) => ({ ...result, peer: { name, value: theirs(runs) } }))
  const results: BenchResult[] = []
  for (const [figure, what, unit] of [
    ['seconds', '', 's'],
    ['megabytes', ', memory of the sender', 'MB'],
    ['cpuSeconds', ', processor time of the sender', 's'],
  ] as const)
    results.push(...beside(row(`${routes}${what}`, of(mine, figure), unit), runs => of(runs, figure)))
  const changed = (runs: readonly Taken[], until: keyof Change): readonly number[] =>
    runs.flatMap(one => one.changes.map(each => each[until]))
  for (const [until, what] of [
    ['wire', 'on the wire'],
    ['held', 'held'],
  ] as const) {
    const times = changed(mine, until)
    if (times.length === 0) continue
    const note = `max ${largest(times).toFixed(1)}, of ${times.length}`
    const result = row(`one change among ${routes}, ${what}`, median(times), 'ms', note)
    results.push(...beside(result, runs => median(changed(runs, until))))
  }
  return results
}
