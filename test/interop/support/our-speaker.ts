import { createInterface } from 'node:readline'
import type { BgpPeer, BgpRoute, RouteChanges, SessionStatus } from '@carillon/bgp'
import type { LabNet } from '@carillon/cli/lab'
import { eventually } from '../../lab/support/speaker-lab.ts'
import type { SpeakerCommand, SpeakerTold } from '../programs/speaker.ts'
import { Daemon } from './routers/daemon.ts'
import { translated } from './translated.ts'

/** Something the speaker has told. */
export interface SpeakerSaid {
  readonly event: 'ready' | 'up' | 'down' | 'state'
  readonly peer: string
  readonly state?: string
  /** Of the error that brought a session down. */
  readonly code?: string
  readonly message?: string
  /** When we read it, on `performance.now()`. */
  readonly at: number
}

/** What the process costs: bytes, and milliseconds of processor time. */
export interface SpeakerUsage {
  readonly rss: number
  readonly most: number
  readonly cpuMs: number
}

interface Waiting {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}

/** Our speaker in a process of its own (`programs/speaker.ts`), in a host of a lab. */
export class OurSpeaker implements AsyncDisposable {
  readonly host: string
  readonly said: SpeakerSaid[] = []
  readonly #daemon: Daemon
  readonly #waiting: Waiting[] = []

  private constructor(net: LabNet, host: string, program: string, told: SpeakerTold) {
    this.host = host
    this.#daemon = new Daemon(net, host, process.execPath, [program, JSON.stringify(told)], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const { stdin, stdout } = this.#daemon.streams
    // One that was killed does not read what we write.
    stdin?.on('error', () => {})
    if (stdout) createInterface(stdout).on('line', line => this.#read(line))
  }

  /** Resolves once it takes commands. */
  static async start(net: LabNet, host: string, told: Partial<SpeakerTold> = {}): Promise<OurSpeaker> {
    const speaker = new OurSpeaker(net, host, await translated('speaker'), { node: host, ...told })
    await eventually(`the speaker on ${host} is ready`, () =>
      speaker.said.find(({ event }) => event === 'ready'),
    ).catch((error: Error) => {
      throw new Error(`${error.message}\n${speaker.log}`)
    })
    return speaker
  }

  #read(line: string): void {
    const told = JSON.parse(line) as { readonly event?: SpeakerSaid['event']; readonly answer?: unknown } & {
      readonly error?: string
    }
    if (told.event !== undefined) this.said.push({ ...(told as SpeakerSaid), at: performance.now() })
    else if (told.error !== undefined) this.#waiting.shift()?.reject(new Error(told.error))
    else this.#waiting.shift()?.resolve(told.answer)
  }

  #ask<T>(command: SpeakerCommand): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve: resolve as (answer: unknown) => void, reject })
      this.#daemon.streams.stdin?.write(`${JSON.stringify(command)}\n`)
    })
  }

  get log(): string {
    return this.#daemon.log
  }

  get running(): boolean {
    return this.#daemon.running
  }

  get pid(): number | undefined {
    return this.#daemon.pid
  }

  peers(...peers: readonly BgpPeer[]): Promise<void> {
    return this.#ask({ do: 'peers', peers })
  }

  routes(peer: string, ...routes: readonly BgpRoute[]): Promise<void> {
    return this.#ask({ do: 'routes', peer, routes })
  }

  /** So many routes to a peer, from 10.100.0.0/32 on, and these. */
  many(peer: string, count: number, ...routes: readonly BgpRoute[]): Promise<void> {
    return this.#ask({ do: 'many', peer, count, routes })
  }

  change(peer: string, changes: RouteChanges): Promise<void> {
    return this.#ask({ do: 'change', peer, changes })
  }

  /** How sessions stand; dates are texts here. */
  sessions(): Promise<readonly SessionStatus[]> {
    return this.#ask({ do: 'sessions' })
  }

  async session(peer: string): Promise<SessionStatus> {
    const found = (await this.sessions()).find(one => one.peer === peer)
    if (!found) throw new Error(`the speaker on ${this.host} has no peer ${peer}`)
    return found
  }

  usage(): Promise<SpeakerUsage> {
    return this.#ask({ do: 'usage' })
  }

  /** Waits until `look` likes how the session with a peer stands. */
  until(
    peer: string,
    what: string,
    look: (status: SessionStatus) => boolean,
    seconds = 10,
  ): Promise<SessionStatus> {
    let last: SessionStatus | undefined
    const ask = async (): Promise<SessionStatus | undefined> => {
      last = await this.session(peer)
      return look(last) ? last : undefined
    }
    return eventually(`${this.host}: ${peer} ${what}`, ask, seconds).catch((error: Error) => {
      throw new Error(`${error.message}\n${JSON.stringify(last)}\n${this.log}`)
    })
  }

  established(peer: string, seconds = 10): Promise<SessionStatus> {
    return this.until(peer, 'is established', ({ state }) => state === 'Established', seconds)
  }

  /**
   * Waits until the session with a peer is lost after `from` (on `performance.now()`), and gives what ended it:
   * soon the status names what fails the attempts since.
   */
  lost(peer: string, from: number, seconds = 10): Promise<SpeakerSaid> {
    return eventually(
      `${this.host}: the session with ${peer} is lost`,
      () => this.said.find(one => one.event === 'down' && one.peer === peer && one.at > from),
      seconds,
    )
  }

  /** Ends it as an operator would: SIGTERM. */
  stop(): Promise<void> {
    return this.#daemon.stop()
  }

  /** kill -9. */
  kill(): Promise<void> {
    return this.#daemon.kill()
  }

  signal(signal: NodeJS.Signals): void {
    this.#daemon.signal(signal)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }
}
