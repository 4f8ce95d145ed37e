import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import type { LabNet } from '@carillon/cli/lab'

const PATIENCE_MS = 10_000

/** A process of a router in a host of a lab. It is never a service of this machine: it knows only files of its own. */
export class Daemon {
  readonly #child: ChildProcess
  readonly #exit: Promise<void>
  #log = ''
  #ended = false

  constructor(
    net: LabNet,
    host: string,
    command: string,
    args: readonly string[],
    options: SpawnOptions = {},
  ) {
    this.#child = net.spawn(host, command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    this.#exit = new Promise(resolve => {
      const ended = (): void => {
        this.#ended = true
        resolve()
      }
      this.#child.once('exit', ended)
      this.#child.once('error', error => {
        this.#log += `${error.message}\n`
        ended()
      })
    })
    const keep = (chunk: Buffer): void => {
      this.#log += chunk.toString()
    }
    // Who writes to its standard input speaks with it over both.
    if (!this.#child.stdin) this.#child.stdout?.on('data', keep)
    this.#child.stderr?.on('data', keep)
  }

  get log(): string {
    return this.#log
  }

  get running(): boolean {
    return !this.#ended
  }

  get pid(): number | undefined {
    return this.#child.pid
  }

  get streams(): Pick<ChildProcess, 'stdin' | 'stdout' | 'stderr'> {
    return this.#child
  }

  /** kill -9, and wait for its end. */
  async kill(): Promise<void> {
    if (this.#ended) return
    this.#child.kill('SIGKILL')
    await this.#exit
  }

  /** SIGTERM, and wait for its end; one that does not listen is killed. */
  async stop(): Promise<void> {
    if (this.#ended) return
    this.#child.kill('SIGTERM')
    const waiting = new AbortController()
    const end = pause(PATIENCE_MS, undefined, { signal: waiting.signal }).then(
      () => this.kill(),
      () => {},
    )
    await Promise.race([this.#exit, end])
    waiting.abort()
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }
}
