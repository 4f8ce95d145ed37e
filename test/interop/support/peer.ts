import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { eventually } from '../../lab/support/speaker-lab.ts'

/** Something a peer has said. */
export interface Said {
  /** `join`, `update`, `suspect`, `leave`, `dead`; `ready`, `conflict`, `message`, `state` from peers that can tell. */
  readonly event: string
  /** The node it is about. */
  readonly name?: string
  readonly address?: string
  readonly meta?: string
  /** Of a user message or user state. */
  readonly text?: string
  /** When we read it, on `performance.now()`. */
  readonly at: number
}

/** What every peer is told when it starts. */
export interface PeerOptions {
  readonly name: string
  /** Address to bind to and to advertise. */
  readonly address: string
  /** Addresses of members to join. */
  readonly join: readonly string[]
  /** In hex, the primary first. */
  readonly keys?: readonly string[]
  /** Path of a file with the keys, which is followed when it changes; instead of `keys`, for peers that are embedded. */
  readonly keyFile?: string
  /** Of MetalLB, as text; instead of `keys`, for peers that are embedded. */
  readonly secret?: string
  readonly label?: string
  readonly profile?: string
  readonly compress?: boolean
  readonly meta?: string
  /** User state that push/pull carries. */
  readonly state?: string
  /** Nothing on top of the library: no metadata, user state and user messages, as MetalLB uses it. @default false */
  readonly bare?: boolean
  /** Speak the delegate protocol versions of serf, which merges with nobody else. @default false */
  readonly besideSerf?: boolean
  /** After how many seconds a dead name may come back with another address. */
  readonly reclaimSeconds?: number
}

const arrivals = ['join', 'update', 'suspect']
const departures = ['leave', 'dead']

/** `10.0.0.1:7946` and `[fd00::1]:7946`. */
export const withPort = (address: string, port = 7946): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`

/** A process that is, or should be, a member of the cluster. Where kinds differ is how it is started and what its lines mean. */
export abstract class Peer {
  readonly name: string
  readonly host: string
  readonly address: string
  readonly said: Said[] = []
  readonly #process: ChildProcess
  readonly #exit: Promise<number | null>
  #log = ''
  #ended = false

  constructor(host: string, options: PeerOptions, process: ChildProcess) {
    this.host = host
    this.name = options.name
    this.address = options.address
    this.#process = process
    this.#exit = new Promise(resolve =>
      process.once('exit', code => {
        this.#ended = true
        resolve(code)
      }),
    )
    process.stderr?.on('data', (chunk: Buffer) => {
      this.#log += chunk.toString()
    })
    // A peer that was killed does not read what we write.
    process.stdin?.on('error', () => {})
    if (process.stdout)
      createInterface(process.stdout).on('line', line => {
        this.#log += `${line}\n`
        this.read(line)
      })
  }

  /** Takes a line that the process has printed. */
  protected abstract read(line: string): void

  protected write(line: string): void {
    this.#process.stdin?.write(`${line}\n`)
  }

  protected note(said: Omit<Said, 'at'>): void {
    this.said.push({ ...said, at: performance.now() })
  }

  get running(): boolean {
    return !this.#ended
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Everything it has written, for people. */
  get log(): string {
    return this.#log
  }

  /** Names it counts as members by all it has said, itself included. */
  alive(): ReadonlySet<string> {
    const names = new Set([this.name])
    for (const { event, name } of this.said) {
      if (name === undefined) continue
      if (arrivals.includes(event)) names.add(name)
      if (departures.includes(event)) names.delete(name)
    }
    return names
  }

  /** Departures (leave, dead) that it has reported since `from`, of anybody or of `name`. */
  departures(from: number, name?: string): readonly Said[] {
    return this.said.filter(
      said =>
        said.at >= from && departures.includes(said.event) && (name === undefined || said.name === name),
    )
  }

  /** Resolves with the first thing said since `from` that `look` accepts. */
  hears(what: string, look: (said: Said) => boolean, seconds = 10, from = 0): Promise<Said> {
    return eventually(
      `${this.name}: ${what}`,
      () => this.said.find(one => one.at >= from && look(one)),
      seconds,
    )
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  /** kill -9, and wait for its end. */
  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.#exit
  }

  /** Asks it to leave and end (SIGTERM); gives its exit code. */
  stop(): Promise<number | null> {
    this.signal('SIGTERM')
    return this.#exit
  }
}
