import { Worker } from 'node:worker_threads'
import type { Clock } from '@carillon/core'
import { noEcho, parametersOf } from './association.ts'
import { newAssociation } from './protocol.ts'
import type { Command, PlainError, Report, Runner, Snapshot } from './report.ts'
import { detectionTimeOf } from './status.ts'

/** A module that gives a network, for a thread of its own. */
export interface NetworkModule {
  /**
   * An URL, as of `import.meta.resolve('@carillon/sockets')`. If the module exports `setUrgency` as that one does, the thread runs
   * before others of the host where the system allows it.
   */
  readonly module: string
  /**
   * What it exports: a `Network`, or a function without arguments that gives one.
   * @default 'systemNetwork'
   */
  readonly export?: string
  /**
   * Flags of Node for the thread.
   * @default those of this process
   */
  readonly execArgv?: readonly string[]
}

/** What the thread is given. */
export interface ThreadData {
  readonly module: string
  readonly export: string
}

/** What the thread says beside reports: it listens. */
export interface Ready {
  readonly type: 'ready'
  /** How it gets a processor: `realtime`, `priority`, `none`. */
  readonly urgency: string
}

/** Milliseconds from the start of one thread to the start of the next, at least. */
const RESTART_MS = 1000

interface Running {
  open: Command & { readonly do: 'open' }
  snapshot: Snapshot | undefined
  /** Stops the waiting for another thread. */
  cancel: () => void
}

/**
 * Runs sessions in a thread of its own, which lives while there are any. When it dies, another one takes the sessions over as they were
 * last known, discriminators and all, so that the peers need not notice. One that nothing has run for its detection time is down.
 */
export class ThreadRunner implements Runner {
  readonly #network: NetworkModule
  readonly #clock: Clock
  readonly #report: (report: Report) => void
  readonly #running = new Map<number, Running>()
  readonly #closing = new Set<number>()
  #worker: Worker | undefined
  #ready = false
  #startedAt = Number.NEGATIVE_INFINITY
  #cancelRestart: (() => void) | undefined
  #ended = false

  constructor(options: {
    readonly network: NetworkModule
    readonly clock: Clock
    readonly report: (report: Report) => void
  }) {
    this.#network = options.network
    this.#clock = options.clock
    this.#report = options.report
  }

  obey(command: Command): void {
    const { id } = command
    if (command.do === 'open') this.#running.set(id, { open: command, snapshot: undefined, cancel: () => {} })
    const running = this.#running.get(id)
    if (running === undefined) return
    if (command.do === 'change') running.open = { ...running.open, settings: command.settings }
    if (command.do === 'close') {
      this.#closing.add(id)
      if (!this.#ready) this.#forget(id)
    }
    if (this.#ready) this.#worker?.postMessage(command)
    this.#run()
  }

  /** Starts a thread when there is something to run and none runs, nor is about to. */
  #run(): void {
    const idle = this.#running.size === 0
    if (idle) this.#worker?.unref()
    else this.#worker?.ref()
    if (idle || this.#worker || this.#cancelRestart || this.#ended) return
    const wait = Math.max(0, this.#startedAt + RESTART_MS - this.#clock.now())
    if (wait === 0) this.#start()
    else this.#cancelRestart = this.#clock.after(wait, () => this.#start())
  }

  #start(): void {
    this.#cancelRestart = undefined
    this.#startedAt = this.#clock.now()
    const { execArgv, export: name = 'systemNetwork', module } = this.#network
    const data: ThreadData = { module, export: name }
    // Sources are run as they are, and the compiled files likewise.
    const program = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js'
    const worker = new Worker(new URL(program, import.meta.url), {
      name: 'carillon-bfd',
      workerData: data,
      ...(execArgv && { execArgv: [...execArgv] }),
    })
    this.#worker = worker
    let failure: unknown
    worker.on('message', (message: Report | Ready) => this.#take(message))
    worker.on('error', error => {
      failure = error
    })
    worker.on('exit', code => {
      if (!this.#ended) this.#died(failure ?? new Error(`it ended by itself with code ${code}`))
    })
  }

  #take(message: Report | Ready): void {
    if ('snapshot' in message) {
      const running = this.#running.get(message.id)
      if (running) running.snapshot = message.snapshot
    }
    if (message.type === 'ready') {
      this.#hand()
      this.#report({ type: 'running', urgency: message.urgency })
    } else if (message.type === 'closed') this.#forget(message.id)
    else this.#report(message)
  }

  /** Hands every session to the thread. */
  #hand(): void {
    this.#ready = true
    for (const { cancel, open, snapshot } of this.#running.values()) {
      cancel()
      const resume = snapshot?.association.state === 'up' && {
        association: snapshot.association,
        since: snapshot.since,
        counters: snapshot.counters,
      }
      this.#worker?.postMessage({ ...open, ...(resume && { resume }) })
    }
    this.#run()
  }

  #forget(id: number): void {
    this.#running.get(id)?.cancel()
    this.#running.delete(id)
    this.#closing.delete(id)
    this.#report({ type: 'closed', id })
    this.#run()
  }

  #died(cause: unknown): void {
    const why = cause instanceof Error ? cause.message : String(cause)
    const error: PlainError = {
      code: 'BFD_THREAD_FAILED',
      message: `the thread that runs BFD failed: ${why}`,
      details: { module: this.#network.module, why },
    }
    this.#worker = undefined
    this.#ready = false
    for (const id of [...this.#closing]) this.#forget(id)
    for (const [id, running] of this.#running) {
      running.cancel()
      const snapshot = { ...(running.snapshot ?? this.#unknown(running)), problem: error }
      running.snapshot = snapshot
      this.#report({ type: 'updated', id, snapshot })
      const { association } = snapshot
      const patience = association.state === 'up' ? detectionTimeOf(association) : undefined
      running.cancel =
        patience === undefined ? () => {} : this.#clock.after(patience, () => this.#fall(id, running))
    }
    this.#report({ type: 'failed', error })
    this.#run()
  }

  #unknown({ open }: Running): Snapshot {
    return {
      association: newAssociation(parametersOf(open.settings, noEcho), 0),
      since: this.#clock.date().getTime(),
      counters: { controlIn: 0, controlOut: 0, echoIn: 0, echoOut: 0 },
      echoRoundTripMs: undefined,
      echoProblem: undefined,
      problem: undefined,
    }
  }

  /** Nothing has run the session for its detection time: to the peer it is gone. */
  #fall(id: number, running: Running): void {
    const snapshot = { ...this.#unknown(running), problem: running.snapshot?.problem }
    running.snapshot = snapshot
    this.#report({ type: 'changed', id, from: 'up', cause: 'thread', snapshot })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true
    this.#cancelRestart?.()
    for (const { cancel } of this.#running.values()) cancel()
    await this.#worker?.terminate()
  }
}
