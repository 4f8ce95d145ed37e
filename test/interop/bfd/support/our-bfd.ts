import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import type { BfdSessionOptions, BfdSettings, BfdStatus } from '@carillon/bgp/bfd'
import type { LabNet } from '@carillon/cli/lab'
import { eventually } from '../../../lab/support/speaker-lab.ts'
import type { BfdCommand, BfdTold } from '../../programs/bfd.ts'
import { Daemon } from '../../support/routers/daemon.ts'
import type { RouterLab } from '../../support/routers/router-lab.ts'
import { translated } from '../../support/translated.ts'

/** Something that our BFD has told. */
export interface BfdSaid {
  readonly event: 'up' | 'down' | 'failed'
  readonly name: string
  readonly cause?: string
  readonly reason?: string
  /** Milliseconds by the computer's clock. */
  readonly at: number
}

/** The time by the computer's clock, as what is told has it. */
export const now = (): number => performance.timeOrigin + performance.now()

/** Cuts a host off; gives the moment at which that began. */
export async function cutOff(lab: RouterLab, host: string): Promise<number> {
  const at = now()
  await lab.cut(host)
  return at
}

interface Waiting {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}

/** Where the protocol runs. `fragile`: in a thread that `kill` ends. */
export type Where = 'main' | 'thread' | 'fragile'

/** Our BFD in a process of its own (`programs/bfd.ts`), in a host of a lab. */
export class OurBfd implements AsyncDisposable {
  readonly said: BfdSaid[] = []
  readonly #daemon: Daemon
  readonly #waiting: Waiting[] = []

  private constructor(daemon: Daemon) {
    this.#daemon = daemon
    const { stdin, stdout } = daemon.streams
    // One that has ended does not read what we write.
    stdin?.on('error', () => {})
    if (stdout) createInterface(stdout).on('line', line => this.#read(line))
  }

  /** Resolves once it takes commands. `broken` names a file while which exists the fragile network does not. */
  static async start(net: LabNet, host: string, where: Where = 'thread', broken = ''): Promise<OurBfd> {
    const told: BfdTold = {
      where: where === 'main' ? 'main' : 'thread',
      ...(where === 'fragile' && { module: pathToFileURL(await translated('fragile-network')).href }),
    }
    const args = [await translated('bfd'), JSON.stringify(told)]
    const env = { ...process.env, CARILLON_BROKEN: broken }
    const daemon = new Daemon(net, host, process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'], env })
    const bfd = new OurBfd(daemon)
    await bfd.#ask({ do: 'ping' })
    return bfd
  }

  #read(text: string): void {
    const line = JSON.parse(text) as Partial<BfdSaid> & { readonly answer?: unknown; readonly error?: string }
    if (line.event !== undefined) this.said.push(line as BfdSaid)
    else if (line.error !== undefined) this.#waiting.shift()?.reject(new Error(line.error))
    else this.#waiting.shift()?.resolve(line.answer)
  }

  #ask<T>(command: BfdCommand): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve: resolve as (answer: unknown) => void, reject })
      this.#daemon.streams.stdin?.write(`${JSON.stringify(command)}\n`)
    })
  }

  /** Opens a session; its name is that of the peer unless there is another. */
  open(options: BfdSessionOptions, name: string = options.peer): Promise<void> {
    return this.#ask({ do: 'open', name, options })
  }

  change(name: string, profile: Partial<BfdSettings>): Promise<void> {
    return this.#ask({ do: 'change', name, profile })
  }

  close(name: string): Promise<void> {
    return this.#ask({ do: 'close', name })
  }

  status(name: string): Promise<BfdStatus> {
    return this.#ask({ do: 'status', name })
  }

  /** Keeps the main thread busy. */
  hold(ms: number, times = 1): Promise<void> {
    return this.#ask({ do: 'hold', ms, times })
  }

  kill(): Promise<void> {
    return this.#ask({ do: 'kill' })
  }

  /** What a session has told: `up`, `down silence`. */
  told(name: string): readonly string[] {
    return this.said
      .filter(one => one.name === name)
      .map(({ event, cause }) => (cause === undefined ? event : `${event} ${cause}`))
  }

  /** Waits until the status of a session is like this. */
  async becomes(name: string, wanted: Partial<BfdStatus>, seconds = 15): Promise<BfdStatus> {
    let status: BfdStatus | undefined
    const fits = (): boolean =>
      Object.entries(wanted).every(([key, value]) => status?.[key as keyof BfdStatus] === value)
    const look = async (): Promise<BfdStatus | undefined> => {
      status = await this.status(name)
      return fits() ? status : undefined
    }
    return eventually(`${name} is ${JSON.stringify(wanted)}`, look, seconds).catch((error: Error) => {
      throw new Error(`${error.message}: it is ${JSON.stringify(status)}`)
    })
  }

  /** Waits for the first thing that a session (or with '', the thread) tells after a moment. */
  next(name: string, after: number): Promise<BfdSaid> {
    const look = (): BfdSaid | undefined => this.said.find(one => one.name === name && one.at > after)
    return eventually(`${name || 'the thread'} tells something`, look, 15)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon.stop()
  }
}
