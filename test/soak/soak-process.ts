import type { ChildProcess } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execute, type LabNet } from '@carillon/cli/lab'
import { bin } from '../lab/support/speaker-lab.ts'
import { LogFile } from './log-file.ts'
import { SmallDisk } from './small-disk.ts'

/** Lines of its log that are kept for a report. */
const kept = 60

/** Megabytes of its disk: manifests twice, as while they are being replaced, and its log. */
const diskMegabytes = 3

const libraries = '/usr/lib'

/** The library that gives a process a clock of its own; undefined where it is not installed. */
const clockLibrary = (): string | undefined =>
  readdirSync(libraries)
    .map(folder => join(libraries, folder, 'faketime', 'libfaketimeMT.so.1'))
    .find(path => existsSync(path))

/** The program on a lab host, with a small disk and a clock of its own, and what it says in its log, which is on that disk. */
export class SoakProcess implements AsyncDisposable {
  readonly name: string
  readonly disk: SmallDisk
  /** Kilobytes that it held, by second of its life. */
  readonly memory: { readonly second: number; readonly kilobytes: number }[] = []
  /** What no healthy process writes. */
  readonly complaints: string[] = []
  /** The ends that nobody asked for. */
  readonly deaths: string[] = []
  readonly #net: LabNet
  readonly #host: string
  readonly #clock: string
  readonly #log: LogFile
  readonly #said: string[] = []
  #excused: RegExp[] = []
  #process: ChildProcess | undefined
  #exit: Promise<void> = Promise.resolve()
  #startedAt = 0
  #ending: NodeJS.Signals | undefined

  private constructor(net: LabNet, name: string, host: string, disk: SmallDisk) {
    this.#net = net
    this.#host = host
    this.name = name
    this.disk = disk
    this.#clock = `${disk.path}.clock`
    this.#log = new LogFile(join(disk.path, 'log'))
    this.stepClock(0)
  }

  /** @param scratch a folder for its disk */
  static async on(net: LabNet, host: string, name: string, scratch: string): Promise<SoakProcess> {
    return new SoakProcess(net, name, host, await SmallDisk.mount(join(scratch, name), diskMegabytes))
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Whether it is stopped by a signal. */
  get frozen(): boolean {
    return this.pid !== undefined && /^State:\s+T/m.test(readFileSync(`/proc/${this.pid}/status`, 'utf8'))
  }

  /** Starts the program with this command line. */
  start(words: readonly string[]): void {
    const library = clockLibrary()
    const clock = {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: this.#clock,
      FAKETIME_CACHE_DURATION: '1',
      // As when somebody sets the clock of a host: what measures durations does not notice.
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    }
    const child = this.#net.spawn(this.#host, process.execPath, [bin, ...words], {
      stdio: ['ignore', this.#log.file, this.#log.file],
      env: { ...process.env, ...(library === undefined ? {} : clock) },
    })
    this.#process = child
    this.#startedAt = performance.now()
    this.#ending = undefined
    this.#exit = new Promise(resolve =>
      child.once('exit', (code, signal) => {
        const asked = this.#ending === 'SIGTERM' ? code === 0 : this.#ending === signal
        this.listen()
        this.#log.trim(true)
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

  /** Takes all room from its disk: neither its log nor anything else can grow. */
  fillDisk(): void {
    this.disk.fill()
    this.#log.fillPage()
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
    this.#log.trim()
    if (this.pid === undefined) return
    try {
      const kilobytes = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1])
      const second = (performance.now() - this.#startedAt) / 1000
      if (Number.isFinite(kilobytes)) this.memory.push({ second, kilobytes })
    } catch {
      // It has just ended; that is told elsewhere.
    }
  }

  /** Takes lines at level error that say this as explained by the present faults. */
  excuse(pattern: RegExp): void {
    this.#excused.push(pattern)
  }

  /** Nothing is explained any more. */
  excuseNothing(): void {
    this.#excused = []
  }

  /** Reads what it has written since last time. */
  listen(): void {
    for (const line of this.#log.lines()) this.#judge(line)
  }

  /** Whether one of the last lines of its log says this. */
  said(pattern: RegExp): boolean {
    this.listen()
    return this.#said.some(line => pattern.test(line))
  }

  /** Everything about it that helps to understand a failure, with what somebody else knows about it in the middle. */
  report(...known: readonly string[]): string {
    this.listen()
    const state = this.pid === undefined ? 'not running' : this.frozen ? 'frozen' : 'running'
    return [
      `${this.name}: ${state}, ${this.memory.at(-1)?.kilobytes ?? 0} kB`,
      ...known.map(line => `  ${line}`),
      ...this.#said.map(line => `  | ${line.slice(0, 400)}`),
    ].join('\n')
  }

  #judge(line: string): void {
    this.#said.push(line)
    if (this.#said.length > kept) this.#said.shift()
    let level: unknown
    try {
      level = (JSON.parse(line) as { readonly level?: unknown }).level
    } catch {
      level = 'none'
    }
    const bad = level === 'error' || level === 'fatal' || level === 'none'
    if (bad && !this.#excused.some(pattern => pattern.test(line)))
      this.complaints.push(`${this.name}: ${line}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.pid !== undefined) await this.end('SIGKILL')
    this.#log[Symbol.dispose]()
    await this.disk[Symbol.asyncDispose]()
  }
}

/** A process that was killed cannot take the library's shared memory along. */
function forgetClock(pid: number | undefined): void {
  for (const name of [`faketime_shm_${pid}`, `sem.faketime_sem_${pid}`])
    rmSync(join('/dev/shm', name), { force: true })
}
