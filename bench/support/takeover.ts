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

/** How often the client forgets who has the address, after the fault of a speaker whose node lives on. */
const flushes = 40
const everyMs = 5

interface Started {
  readonly node: SegmentNode
  readonly process: ChildProcess
}

/** A segment on which one kind of speaker is started, struck and cleared away, again and again. */
export class TakeoverLab implements AsyncDisposable {
  readonly #segment: Segment
  readonly #kind: SpeakerKind
  readonly #program: string
  /** The programs that answer the client; they outlive every speaker. */
  readonly #servers = new Map<string, number>()

  private constructor(segment: Segment, kind: SpeakerKind) {
    this.#segment = segment
    this.#kind = kind
    this.#program = segment.compile('answers.cc')
  }

  static async build(kind: SpeakerKind, count: number): Promise<TakeoverLab> {
    const segment = await Segment.build('failover', count)
    try {
      const lab = new TakeoverLab(segment, kind)
      for (const { name } of segment.nodes) {
        if (kind.mute) await segment.net.serve(name, [vip[4], vip[6]])
        const server = segment.spawn(name, [lab.#program, 'serve', name])
        lab.#servers.set(name, server.pid as number)
      }
      return lab
    } catch (error) {
      await segment[Symbol.asyncDispose]()
      throw error
    }
  }

  /** One run: speakers start, one address settles, its owner is struck, and the client looks on. */
  async run(fault: Fault, family: Family): Promise<Takeover> {
    const started = this.#segment.nodes.map(node => this.#start(node))
    const words = [this.#program, 'ask', vip[family], `${everyMs}`]
    const asker = new Asker(this.#segment.spawn('client', words, true))
    let owner: Started | undefined
    try {
      const name = await until(25_000, () => asker.steady(1500))
      if (name === undefined)
        throw new Error(`${this.#kind.name}: nobody answers steadily for ${vip[family]}`)
      owner = started.find(({ node }) => node.name === name) as Started
      // Faults know nothing of the phase of anybody's timers.
      await pause(Math.random() * 1000)
      const faultAt = await this.#strike(owner, fault)
      const moved = (): true | undefined =>
        [...asker.answering(faultAt)].some(([node]) => node !== name) || undefined
      await until(this.#kind.patienceMs, moved)
      await pause(700)
      const end = monotonic() - 100
      const seen = asker.seen(faultAt, end)
      if (fault !== 'killed' && fault !== 'frozen') return seen
      const from = monotonic()
      for (let i = 0; i < flushes; i++) {
        await this.#segment.net.ipIn('client', 'neigh', 'flush', 'dev', 'eth0')
        await pause(50)
      }
      return { ...seen, answering: asker.answering(from).size }
    } finally {
      asker.end()
      for (const { process } of started) if (process.pid !== undefined) kill(process.pid, 'SIGKILL')
      await Promise.all(started.map(({ node }) => this.#clear(node)))
      await Promise.all(started.map(({ process }) => ended(process)))
      if (owner) await this.#segment.heal(owner.node)
      await this.#segment.net.ipIn('client', 'neigh', 'flush', 'dev', 'eth0')
    }
  }

  #start(node: SegmentNode): Started {
    const folder = join(this.#segment.folder, node.name)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    const others = this.#segment.nodes.filter(other => other !== node)
    const words = this.#kind.prepare({ ...node, others, folder })
    // `ip netns exec` becomes the program, so that its process is the speaker.
    return { node, process: this.#segment.spawn(node.name, words) }
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
