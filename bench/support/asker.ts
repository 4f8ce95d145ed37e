import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'

/** What a client saw of a fault. Times in milliseconds. */
export interface Seen {
  /** The longest time between the sending of two answered probes, at or after the fault. */
  readonly gapMs: number
  /** Probes sent after the fault that nobody answered. */
  readonly lost: number
  /** From the fault to the first probe that another node answered; undefined when none did. */
  readonly otherMs: number | undefined
  /** How often the answering node changed. */
  readonly changes: number
}

/** The monotonic clock that probes are stamped with, in milliseconds. */
export const monotonic = (): number => Number(process.hrtime.bigint()) / 1e6

interface Probe {
  readonly at: number
  node?: string
}

/** Reads along with `answers ask`: which probe was sent when, and who answered it. */
export class Asker {
  readonly #process: ChildProcess
  readonly #probes: Probe[] = []
  #node: string | undefined
  #since = 0
  #last = 0

  /** @param process a running `answers ask` */
  constructor(process: ChildProcess) {
    this.#process = process
    if (!process.stdout) throw new TypeError('the asker needs its standard output')
    createInterface(process.stdout).on('line', line => this.#read(line))
  }

  #read(line: string): void {
    const [kind, number, ns, name] = line.split(' ')
    const at = Number(ns) / 1e6
    if (kind === '>') this.#probes.push({ at })
    else if (kind === '<' && name !== undefined) {
      const probe = this.#probes[Number(number)]
      if (probe) probe.node ??= name
      if (this.#node !== name || at - this.#last > 100) this.#since = at
      this.#node = name
      this.#last = at
    }
  }

  /** The node that has been answering without a pause for at least so many milliseconds. */
  steady(ms: number): string | undefined {
    const now = monotonic()
    return now - this.#last < 100 && now - this.#since >= ms ? this.#node : undefined
  }

  /** Nodes that have answered probes sent since then, with how many of them. */
  answering(since: number): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const { at, node } of this.#probes)
      if (at >= since && node !== undefined) counts.set(node, (counts.get(node) ?? 0) + 1)
    return counts
  }

  /** Sums up what happened between two moments; the last probes should have had the time to be answered. */
  seen(faultAt: number, until: number): Seen {
    const owner = this.#probes.findLast(({ at, node }) => at < faultAt && node !== undefined)
    let last = owner
    let gapMs = 0
    let lost = 0
    let changes = 0
    let otherMs: number | undefined
    for (const probe of this.#probes) {
      if (probe.at < faultAt || probe.at > until) continue
      if (probe.node === undefined) {
        lost++
        continue
      }
      if (last) gapMs = Math.max(gapMs, probe.at - last.at)
      if (last && probe.node !== last.node) changes++
      if (owner && probe.node !== owner.node) otherMs ??= probe.at - faultAt
      last = probe
    }
    if (last)
      gapMs = Math.max(gapMs, (this.#probes.findLast(({ at }) => at <= until)?.at ?? last.at) - last.at)
    return { gapMs, lost, otherMs, changes }
  }

  end(): void {
    this.#process.kill('SIGKILL')
  }
}
