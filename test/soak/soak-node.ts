import type { ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { execute, type LabNet } from '@carillon/cli/lab'
import type { SpeakerStatus } from '@carillon/core'
import { Asker } from '../lab/support/asker.ts'
import { bin, eventually } from '../lab/support/speaker-lab.ts'

/** Lines of its log that are kept for a report. */
const kept = 60

const libraries = '/usr/lib'

/** The library that gives a process a clock of its own; undefined where it is not installed. */
const clockLibrary = (): string | undefined =>
  readdirSync(libraries)
    .map(folder => join(libraries, folder, 'faketime', 'libfaketimeMT.so.1'))
    .find(path => existsSync(path))

/** One node of a soak run: `carillon run` on a lab host, and what it says. */
export class SoakNode {
  readonly name: string
  readonly address: string
  mac = ''
  /** Kilobytes that it held, by second of its life. */
  readonly memory: { readonly second: number; readonly kilobytes: number }[] = []
  /** What no healthy speaker writes. */
  readonly complaints: string[] = []
  /** The ends that nobody asked for. */
  readonly deaths: string[] = []
  /** Lines at level error that the present faults explain. */
  excused: (line: string) => boolean = () => false
  readonly #net: LabNet
  readonly #folder: string
  readonly #clock: string
  readonly #asker: Asker
  #process: ChildProcess | undefined
  #exit: Promise<void> = Promise.resolve()
  #startedAt = 0
  #ending: NodeJS.Signals | undefined
  #log: string[] = []

  /** @param folder of the manifests; @param scratch for the file that sets its clock */
  constructor(net: LabNet, name: string, address: string, folder: string, scratch: string) {
    this.#net = net
    this.name = name
    this.address = address
    this.#folder = folder
    this.#clock = join(scratch, `clock-${name}`)
    this.#asker = new Asker(net, name)
    this.stepClock(0)
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Starts the speaker. It meets the others by itself. */
  start(join: readonly string[]): void {
    const peers = join.flatMap(address => ['--gossip-join', address])
    const words = [bin, 'run', '--node', this.name, '--manifests', this.#folder, ...peers]
    const library = clockLibrary()
    const clock = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: this.#clock,
      FAKETIME_CACHE_DURATION: '1',
      // As when somebody sets the clock of a host: what measures durations does not notice.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }
    const child = this.#net.spawn(this.name, process.execPath, [...words, '--garp-count', '2'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...(library === undefined ? {} : clock) },
    })
    this.#process = child
    this.#startedAt = performance.now()
    this.#ending = undefined
    for (const stream of [child.stdout, child.stderr])
      if (stream) createInterface(stream).on('line', line => this.#judge(line))
    this.#exit = new Promise(resolve =>
      child.once('exit', (code, signal) => {
        const asked = this.#ending === 'SIGTERM' ? code === 0 : this.#ending === signal
        if (!asked) this.deaths.push(`${this.name} ended with ${signal ?? code}`)
        if (this.#process === child) this.#process = undefined
        forgetClock(child.pid)
        resolve()
      }),
    )
  }

  /** Sets its wall clock so many seconds off that of this machine. */
  stepClock(seconds: number): void {
    writeFileSync(this.#clock, `${seconds < 0 ? '' : '+'}${seconds}\n`)
  }

  signal(signal: NodeJS.Signals): void {
    if (this.pid !== undefined) process.kill(this.pid, signal)
  }

  /** Ends it with a signal; resolves when it has ended. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#ending = signal
    this.memory.length = 0
    this.signal(signal)
    await this.#exit
  }

  /** Lets it have only so many more open files than now; undefined: as many as ever. */
  async limitFiles(more: number | undefined): Promise<void> {
    if (this.pid === undefined) return
    const open = readdirSync(`/proc/${this.pid}/fd`).length
    const limit = more === undefined ? '4096' : `${open + more}`
    await execute('prlimit', ['--pid', String(this.pid), `--nofile=${limit}:`])
  }

  /** Notes how much memory it holds. */
  weigh(): void {
    if (this.pid === undefined) return
    try {
      const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1])
      const second = (performance.now() - this.#startedAt) / 1000
      if (Number.isFinite(kilobytes)) this.memory.push({ second, kilobytes })
    } catch {
      // It has just ended; that is told elsewhere.
    }
  }

  /** What it says of itself, or of one address only; undefined where it says nothing. */
  async status(of?: string): Promise<SpeakerStatus | undefined> {
    const { code, text } = await this.#asker.ask(`/api/v1/status${of === undefined ? '' : `?of=${of}`}`)
    return code === 200 ? (JSON.parse(text) as SpeakerStatus) : undefined
  }

  /** Resolves when its door for people is open. */
  async ready(seconds: number): Promise<void> {
    await eventually(`${this.name} runs`, () => this.status('nothing'), seconds)
  }

  /** Everything about it that helps to understand a failure. */
  async report(): Promise<string> {
    const frozen =
      this.pid !== undefined && /^State:\s+T/m.test(readFileSync(`/proc/${this.pid}/status`, 'utf8'))
    const status =
      this.pid === undefined || frozen ? undefined : await this.status('nothing').catch(() => undefined)
    const { members = [], configuration, sessions = [], problems = [], interfaces = [] } = status ?? {}
    return [
      `${this.name} (${this.mac}): ${this.pid === undefined ? 'not running' : frozen ? 'frozen' : 'running'}, ${this.memory.at(-1)?.kilobytes ?? 0} kB`,
      `  configuration ${configuration}, members ${members.map(({ name, liveness }) => `${name} ${liveness}`).join(', ')}`,
      `  sessions ${JSON.stringify(sessions)}`,
      `  interfaces ${interfaces.map(({ name, up, carrier }) => `${name} ${up ? 'up' : 'down'} ${carrier ? '' : 'without carrier'}`).join(', ')}`,
      ...problems.slice(0, 3).map(one => `  problem: ${JSON.stringify(one)}`),
      ...this.#log.map(line => `  | ${line.slice(0, 400)}`),
    ].join('\n')
  }

  #judge(line: string): void {
    this.#log.push(line)
    if (this.#log.length > kept) this.#log.shift()
    let level: unknown
    try {
      level = (JSON.parse(line) as { readonly level?: unknown }).level
    } catch {
      level = 'none'
    }
    const bad = level === 'error' || level === 'fatal' || level === 'none'
    if (bad && !this.excused(line)) this.complaints.push(`${this.name}: ${line}`)
  }
}

/** A process that was killed cannot take the library's shared memory along. */
function forgetClock(pid: number | undefined): void {
  for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`])
    rmSync(join('/dev/shm', name), { force: true })
}
