import { seededRandom } from '@carillon/core/testing'
import { type Fault, faultText, type Round, type SourceName, type Undo } from './fault.ts'
import { pause } from './pause.ts'
import { schedule } from './schedule.ts'
import { SoakLab } from './soak-lab.ts'
import type { SoakProcess } from './soak-process.ts'
import { strike } from './strike.ts'
import { atRouter, everyAddress, inTalk, onSegment } from './violations.ts'

/** Addresses that are asked for again and again while a fault lasts. */
const sampled = 25

/** Seconds that anything may be wrong after a fault began or ended. */
const boundSeconds = 20

/** Kilobytes that a speaker with a thousand addresses may hold. */
const mostKilobytes = 260_000

/** Kilobytes that the witness may hold more in the last quarter of its life than in the second. */
const mostGrowth = 30_000

/** Seconds of life from which growth can be told from warming up. */
const matureSeconds = 600

/** What a soak run came to. */
export interface SoakResult {
  readonly rounds: number
  /** How often anybody looked whether all is right. */
  readonly looks: number
  /** How often each kind of fault came, alone or with another. */
  readonly faults: ReadonlyMap<string, number>
  /** Milliseconds until all was right after a fault began, and after it ended, by kind. */
  readonly settled: ReadonlyMap<string, readonly { readonly struck: number; readonly over: number }[]>
  /** Kilobytes that the witness held: first, on average in each quarter of its life, and last. */
  readonly memory: readonly number[]
}

/** A run of faults against a lab, which fails with everything that is known about what went wrong. */
export class Soak {
  readonly #lab: SoakLab
  readonly #source: SourceName
  readonly #seed: number
  readonly #tell: (line: string) => void
  readonly #random: () => number
  readonly #history: string[] = []
  readonly #faults = new Map<string, number>()
  readonly #settled = new Map<string, { struck: number; over: number }[]>()
  #looks = 0
  #startedAt = 0

  constructor(lab: SoakLab, source: SourceName, seed: number, tell: (line: string) => void) {
    this.#lab = lab
    this.#source = source
    this.#seed = seed
    this.#tell = tell
    // Another row of numbers than the schedule's, which must not depend on how fast this machine is.
    this.#random = seededRandom(seed ^ 0x5eed)
  }

  async run(seconds: number): Promise<SoakResult> {
    const lab = this.#lab
    const [witness = ''] = SoakLab.names
    const rounds = schedule(this.#seed, this.#source, SoakLab.names, witness)
    this.#startedAt = performance.now()
    try {
      for (const node of lab.living) await node.ready(120)
      this.#tell(`${this.#second()}: all nodes run`)
      await this.#right('the start', everyAddress, 60)
      this.#tell(`${this.#second()}: all is right`)
      const end = performance.now() + seconds * 1000
      for (let done = 0; ; done++) {
        if (performance.now() > end) return this.#result(done, lab.node(witness).process)
        await this.#round(rounds.next().value)
      }
    } catch (error) {
      throw new Error(await this.#report(error), { cause: error })
    }
  }

  async #round(round: Round): Promise<void> {
    const lab = this.#lab
    const text = round.map(faultText).join(', ')
    this.#history.push(`${this.#second()}: ${text}`)
    for (const process of lab.processes) process.excuseNothing()
    const from = performance.now()
    let undo: Undo[] = []
    for (const fault of round) undo.push(await strike(lab, fault))
    const sample = this.#sample()
    const struck = await this.#right(text, sample)
    while (performance.now() < from + Math.max(...round.map(({ ms }) => ms))) {
      await this.#right(`${text}, still`, sample)
      await pause(50)
    }
    let over = 0
    while (undo.length > 0) {
      const next = await Promise.all(undo.map(end => end()))
      over = Math.max(over, await this.#right(`the end of ${text}`, sample))
      undo = next.flatMap(one => one ?? [])
    }
    await this.#right(`the end of ${text}, over all addresses`, everyAddress)
    await this.#agreed(text, this.#sample().slice(0, 3))
    this.#weigh()
    this.#note(round, struck, over)
    this.#tell(`${this.#second()}: ${text}: right after ${struck} ms, and ${over} ms after its end`)
  }

  /** Resolves with the milliseconds until nothing was wrong. */
  async #right(after: string, sample: readonly string[], seconds = boundSeconds): Promise<number> {
    return this.#until(after, seconds, async () => [
      ...(await onSegment(this.#lab, sample)),
      ...(await atRouter(this.#lab)),
    ])
  }

  async #agreed(after: string, sample: readonly string[]): Promise<void> {
    await this.#until(`the end of ${after}`, boundSeconds, () => inTalk(this.#lab, sample))
  }

  async #until(after: string, seconds: number, look: () => Promise<readonly string[]>): Promise<number> {
    const from = performance.now()
    for (;;) {
      this.#unharmed()
      const wrong = await look()
      this.#looks++
      const took = Math.round(performance.now() - from)
      if (wrong.length === 0) return took
      if (took > seconds * 1000) {
        const [shown, more] = [wrong.slice(0, 10), wrong.length - 10]
        throw new Error(
          `${took} ms after ${after}:\n  ${shown.join('\n  ')}${more > 0 ? `\n  and ${more} more` : ''}`,
        )
      }
      await pause(30)
    }
  }

  /** Fails when a speaker has ended by itself, or has written what it should not. */
  #unharmed(): void {
    for (const process of this.#lab.processes) {
      process.listen()
      const { deaths, complaints } = process
      const [first] = [...deaths, ...complaints]
      if (first !== undefined) throw new Error(first)
    }
  }

  #weigh(): void {
    for (const process of this.#lab.processes) {
      process.weigh()
      const kilobytes = process.memory.at(-1)?.kilobytes ?? 0
      if (kilobytes > mostKilobytes) throw new Error(`${process.name} holds ${kilobytes} kB`)
    }
  }

  #result(rounds: number, witness: SoakProcess): SoakResult {
    const life = witness.memory.at(-1)?.second ?? 0
    const quarters = [0, 1, 2, 3].map(quarter => heldIn(witness, quarter))
    const growth = (quarters[3] ?? 0) - (quarters[1] ?? 0)
    if (life > matureSeconds && growth > mostGrowth)
      throw new Error(`${witness.name} has grown by ${growth} kB within ${Math.round(life)} s`)
    const at = (i: number): number => witness.memory.at(i)?.kilobytes ?? 0
    return {
      rounds,
      looks: this.#looks,
      faults: this.#faults,
      settled: this.#settled,
      memory: [at(0), ...quarters, at(-1)],
    }
  }

  #note(round: readonly Fault[], struck: number, over: number): void {
    const kind = round.map(fault => fault.kind).join(' + ')
    for (const fault of round) this.#faults.set(fault.kind, (this.#faults.get(fault.kind) ?? 0) + 1)
    const known = this.#settled.get(kind) ?? []
    known.push({ struck, over })
    this.#settled.set(kind, known)
  }

  #sample(): readonly string[] {
    return Array.from(
      { length: sampled },
      () => everyAddress[Math.floor(this.#random() * everyAddress.length)] as string,
    )
  }

  #second(): string {
    return `${((performance.now() - this.#startedAt) / 1000).toFixed(1)} s`
  }

  async #report(error: unknown): Promise<string> {
    const nodes = await Promise.all([...this.#lab.nodes.values()].map(node => node.report()))
    const others = this.#lab.source.processes.map(process => process.report())
    const message = error instanceof Error ? error.message : String(error)
    return [
      message,
      `To see it again: npm run soak -- --source ${this.#source} --seed ${this.#seed}. What was done, last at the end:`,
      ...this.#history.slice(-30).map(line => `  ${line}`),
      ...nodes,
      ...others,
    ].join('\n')
  }
}

/** Kilobytes that a process held on average in a quarter of its life, from 0. */
function heldIn({ memory }: SoakProcess, quarter: number): number {
  const life = memory.at(-1)?.second ?? 0
  const part = memory.filter(
    ({ second }) => second * 4 >= quarter * life && second * 4 <= (quarter + 1) * life,
  )
  return Math.round(part.reduce((sum, { kilobytes }) => sum + kilobytes, 0) / Math.max(1, part.length))
}
