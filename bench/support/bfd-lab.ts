import { type ChildProcess, spawn } from 'node:child_process'
import { execPath } from 'node:process'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { calendar } from './calendar.ts'
import { ended, type Segment, type SegmentNode } from './segment.ts'

/** Asks until it is so; throws when it is not within 30 s. */
export async function eventually(what: string, ask: () => Promise<boolean> | boolean): Promise<void> {
  for (const end = performance.now() + 30_000; performance.now() < end; await pause(50))
    if (await ask()) return
  throw new Error(`${what}: not within 30 s`)
}

/** Our BFD in a process of its own on a node of a segment; this file runs compiled, as does that. */
export class OurEnd {
  readonly #process: ChildProcess
  /** What it said, in order. */
  readonly said: { readonly what: string; readonly peer: string; readonly at: number }[] = []

  constructor(
    segment: Segment,
    node: SegmentNode,
    peers: readonly string[],
    options: { readonly intervalMs: number; readonly multiplier: number; readonly busy?: boolean },
  ) {
    const program = fileURLToPath(new URL('./bfd-end.js', import.meta.url))
    const { busy, intervalMs, multiplier } = options
    const words = [`${intervalMs}`, `${multiplier}`, ...(busy ? ['busy'] : []), '--', ...peers]
    this.#process = segment.spawn(node.name, [execPath, program, ...words], true)
    if (this.#process.stdout)
      createInterface(this.#process.stdout).on('line', line => {
        const [what = '', peer = '', at] = line.split(' ')
        this.said.push({ what, peer, at: Number(at) })
      })
  }

  count(what: 'up' | 'down'): number {
    return this.said.filter(one => one.what === what).length
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGKILL')
    await ended(this.#process)
  }
}

/** Takes switch ports away and gives them back without the delay of starting a program. */
export class Scissors {
  readonly #process: ChildProcess

  constructor(segment: Segment) {
    const words = ['-n', segment.net.namespace('switch'), '-force', '-batch', '-']
    this.#process = spawn('bridge', words, { stdio: ['pipe', 'ignore', 'inherit'] })
  }

  cut(node: SegmentNode): number {
    const at = calendar()
    this.#process.stdin?.write(`link set dev ${node.port.port} state 0\n`)
    return at
  }

  mend(node: SegmentNode): void {
    this.#process.stdin?.write(`link set dev ${node.port.port} state 3\n`)
  }

  async stop(): Promise<void> {
    this.#process.stdin?.end()
    await ended(this.#process)
  }
}
