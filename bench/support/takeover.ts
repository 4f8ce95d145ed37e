import type { ChildProcess } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Asker, monotonic, type Seen } from './asker.ts'
import { ended, kill, Segment, type SegmentNode } from './segment.ts'
import { type SpeakerKind, vip } from './speakers.ts'

/** What happens to the node that holds the addresses. */
export const faults = ['cut', 'unplugged', 'killed', 'frozen', 'stopped'] as const
export type Fault = (typeof faults)[number]

export const families = [4, 6] as const
export type Family = (typeof families)[number]

/** What the client saw of one address in one run. */
export interface Takeover extends Seen {
  /** Nodes that answered after the client had been made to ask for the MAC address again and again; only where the old owner lives on. */
  readonly answering?: number
}

/** What the clients of both families saw. */
export type Takeovers = ReadonlyMap<Family, Takeover>

/** How often the client forgets who has the address, after the fault of a speaker whose node lives on. */
const flushes = 40
const flushEveryMs = 30
const everyMs = 5

/** An owner that has answered without a pause for this long has settled; at first, others may still be on their way. */
const steadyMs = 1500
const firstSteadyMs = 4000

interface Started {
  readonly node: SegmentNode
  readonly process: ChildProcess
}

/** A segment on which one kind of speaker runs, whose owner is struck and restored, again and again. */
export class TakeoverLab implements AsyncDisposable {
  readonly #segment: Segment
  readonly #kind: SpeakerKind
  readonly #families: readonly Family[]
  readonly #program: string
  /** The programs that answer the client; they outlive every speaker. */
  readonly #servers = new Map<string, number>()
  readonly #speakers = new Map<string, Started>()
  /** Who has the addresses while nobody has a fault. */
  #rightful: string | undefined

  private constructor(segment: Segment, kind: SpeakerKind, families: readonly Family[]) {
    this.#segment = segment
    this.#kind = kind
    this.#families = families
    this.#program = segment.compile('answers.cc')
  }

  static async build(kind: SpeakerKind, count: number, families: readonly Family[]): Promise<TakeoverLab> {
    const segment = await Segment.build(kind.name.replace(' ', '-'), count)
    try {
      const lab = new TakeoverLab(segment, kind, families)
      for (const { name } of segment.nodes) {
        if (kind.mute) await segment.net.serve(name, [vip[4], vip[6]])
        const server = segment.spawn(name, [lab.#program, 'serve', name])
        lab.#servers.set(name, server.pid as number)
      }
      for (const node of segment.nodes) lab.#start(node)
      return lab
    } catch (error) {
      await segment[Symbol.asyncDispose]()
      throw error
    }
  }

  /** One run: the addresses settle, their owner is struck, the clients look on, and all is made whole again. */
  async run(fault: Fault): Promise<Takeovers> {
    const askers = new Map(this.#families.map(family => [family, this.#ask(family)]))
    let owner: Started | undefined
    try {
      owner = await this.#owner([...askers.values()])
      const { name } = owner.node
      // Faults know nothing of the phase of anybody's timers.
      await pause(Math.random() * this.#kind.phaseMs)
      const faultAt = await this.#strike(owner, fault)
      const moved = (): true | undefined =>
        [...askers.values()].every(asker =>
          [...asker.answering(faultAt).keys()].some(node => node !== name),
        ) || undefined
      await until(this.#kind.patienceMs, moved)
      await pause(700)
      const end = monotonic() - 100
      const seen = [...askers].map(([family, asker]) => [family, asker.seen(faultAt, end)] as const)
      if (fault !== 'killed' && fault !== 'frozen') return new Map(seen)
      const from = monotonic()
      for (let i = 0; i < flushes; i++) {
        await this.#forget()
        await pause(flushEveryMs)
      }
      return new Map(
        seen.map(([family, one]) => [
          family,
          { ...one, answering: askers.get(family)?.answering(from).size ?? 0 },
        ]),
      )
    } finally {
      for (const asker of askers.values()) asker.end()
      if (owner) await this.#restore(owner)
    }
  }

  #ask(family: Family): Asker {
    const words = [this.#program, 'ask', vip[family], `${everyMs}`]
    return new Asker(this.#segment.spawn('client', words, true))
  }

  /** Waits until the rightful owner answers for every address, or at first somebody. */
  async #owner(askers: readonly Asker[]): Promise<Started> {
    const ms = this.#rightful === undefined ? firstSteadyMs : steadyMs
    const settled = (): Started | undefined => {
      const [name, ...others] = new Set(askers.map(asker => asker.steady(ms)))
      if (name === undefined || others.length > 0 || name !== (this.#rightful ?? name)) return undefined
      return this.#speakers.get(name)
    }
    const owner = await until(25_000, settled)
    if (!owner)
      throw new Error(`${this.#kind.name}: ${this.#rightful ?? 'nobody'} answers steadily for the addresses`)
    this.#rightful = owner.node.name
    return owner
  }

  #start(node: SegmentNode): void {
    const folder = join(this.#segment.folder, node.name)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    const others = this.#segment.nodes.filter(other => other !== node)
    const words = this.#kind.prepare({ ...node, others, folder })
    // `ip netns exec` becomes the program, so that its process is the speaker.
    this.#speakers.set(node.name, { node, process: this.#segment.spawn(node.name, words) })
  }

  /** Mends what was done to a node, and starts its speaker anew; the others go on. */
  async #restore({ node, process }: Started): Promise<void> {
    if (process.pid !== undefined) kill(process.pid, 'SIGKILL')
    await this.#clear(node)
    await ended(process)
    await this.#segment.heal(node)
    await this.#forget()
    this.#start(node)
  }

  /** The client forgets every MAC address. */
  async #forget(): Promise<void> {
    await this.#segment.net.ipIn('client', 'neigh', 'flush', 'dev', 'eth0')
  }

  /** Gives when it happened. */
  async #strike({ node, process }: Started, fault: Fault): Promise<number> {
    const pids = await this.#speaker(node)
    const at = monotonic()
    if (fault === 'cut') await this.#segment.cut(node)
    else if (fault === 'unplugged') await this.#segment.unplug(node)
    else if (fault === 'stopped') kill(process.pid as number, 'SIGTERM')
    else for (const pid of pids) kill(pid, fault === 'killed' ? 'SIGKILL' : 'SIGSTOP')
    return at
  }

  /** Every process of a node's speaker, children first. */
  async #speaker({ name }: SegmentNode): Promise<readonly number[]> {
    const pids = await this.#segment.net.processes(name)
    return pids.filter(pid => pid !== this.#servers.get(name)).sort((a, b) => b - a)
  }

  /** Leaves a node as it was before its speaker started. */
  async #clear(node: SegmentNode): Promise<void> {
    for (const pid of await this.#speaker(node)) kill(pid, 'SIGKILL')
    if (this.#kind.mute) return
    const text = await this.#segment.net.ipIn(node.name, '-o', 'addr', 'show', 'dev', 'eth0')
    const left = text.matchAll(/inet6? ((?:10\.77\.0\.100|fd77::100|fe80::56)\/\d+)/g)
    for (const [, address = ''] of left)
      await this.#segment.net.ipIn(node.name, 'addr', 'del', address, 'dev', 'eth0')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#segment[Symbol.asyncDispose]()
  }
}

/** Asks again and again until the answer is not undefined, for at most so long. */
async function until<T>(ms: number, ask: () => T | undefined): Promise<T | undefined> {
  const end = monotonic() + ms
  for (let answer = ask(); ; answer = ask()) {
    if (answer !== undefined || monotonic() > end) return answer
    await pause(20)
  }
}
