import { type ChildProcess, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getuid } from 'node:process'
import { fileURLToPath } from 'node:url'
import { execute, LabNet, type LabPort } from '@carillon/cli/lab'

/** A host of a segment. */
export interface SegmentNode {
  readonly name: string
  readonly number: number
  readonly address: string
  readonly port: LabPort
}

/** Hosts on one bridge, a client beside them, and a folder; everything goes with it, also when the benchmark is interrupted. */
export class Segment implements AsyncDisposable {
  readonly net: LabNet
  readonly folder: string
  readonly nodes: SegmentNode[] = []
  readonly #interrupted = (): void => {
    void this[Symbol.asyncDispose]().finally(() => process.exit(130))
  }

  private constructor(name: string) {
    this.net = new LabNet(`bench-${name}`)
    this.folder = mkdtempSync(join(tmpdir(), `carillon-bench-${name}-`))
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, this.#interrupted)
  }

  /** `count` nodes, `n1` at `10.77.0.11` and `fd77::11`, and so on. */
  static async build(name: string, count: number): Promise<Segment> {
    if (getuid?.() !== 0) throw new Error('this benchmark makes network namespaces: run it as root')
    const segment = new Segment(name)
    try {
      await segment.net.bridge('switch')
      await segment.net.host('client')
      await segment.net.join('switch', 'client', ['10.77.0.1/24', 'fd77::1/64'])
      for (let number = 1; number <= count; number++) {
        const name = `n${number}`
        const address = `10.77.0.${10 + number}`
        await segment.net.host(name)
        const port = await segment.net.join('switch', name, [`${address}/24`, `fd77::${10 + number}/64`])
        segment.nodes.push({ name, number, address, port })
      }
      return segment
    } catch (error) {
      await segment[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Runs a program on a node, its output read by nobody unless `listen`. */
  spawn(host: string, words: readonly string[], listen = false): ChildProcess {
    const [command = '', ...args] = words
    return this.net.spawn(host, command, args, { stdio: ['ignore', listen ? 'pipe' : 'ignore', 'ignore'] })
  }

  /** The switch silently drops everything from and to a node, which keeps its carrier. */
  async cut(node: SegmentNode): Promise<void> {
    await this.#bridge(node, 0)
  }

  /** The node's cable is pulled. */
  async unplug(node: SegmentNode): Promise<void> {
    await this.net.ipIn('switch', 'link', 'set', node.port.port, 'down')
  }

  /** Undoes both. */
  async heal(node: SegmentNode): Promise<void> {
    await this.net.ipIn('switch', 'link', 'set', node.port.port, 'up')
    await this.#bridge(node, 3)
  }

  async #bridge(node: SegmentNode, state: 0 | 3): Promise<void> {
    const args = [
      '-n',
      this.net.namespace('switch'),
      'link',
      'set',
      'dev',
      node.port.port,
      'state',
      `${state}`,
    ]
    const { code, stderr } = await execute('bridge', args)
    if (code !== 0) throw new Error(`bridge ${args.join(' ')}: ${stderr.trim()}`)
  }

  /** Signals every process of a node but those. */
  async signal(node: SegmentNode, signal: NodeJS.Signals, but: readonly number[] = []): Promise<void> {
    for (const pid of await this.net.processes(node.name)) if (!but.includes(pid)) kill(pid, signal)
  }

  /** Compiles a program of bench/support into the folder; gives its path. */
  compile(source: string): string {
    const program = join(this.folder, source.replace(/\.cc$/, ''))
    // This file runs compiled, in node_modules/.cache/bench/support.
    const path = fileURLToPath(new URL(`../../../../bench/support/${source}`, import.meta.url))
    execFileSync('g++', ['-O2', '-std=c++17', '-o', program, path])
    return program
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, this.#interrupted)
    await this.net[Symbol.asyncDispose]()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Signals a process that may have ended meanwhile. */
export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Resolves when a process has ended. */
export const ended = (child: ChildProcess): Promise<void> =>
  new Promise(resolve => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once('exit', () => resolve())
  })
