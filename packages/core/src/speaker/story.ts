import { createHash } from 'node:crypto'
import { differences } from '../allocation/index.ts'
import type { Clock } from '../clock.ts'
import type { Logger } from '../logger.ts'
import type { Advertisement } from './announcer.ts'
import type { SpeakerEvent } from './history.ts'

/** What an announcer has been given newly, and has yet to say. */
interface Task {
  readonly takeover: string
  readonly since: number
  readonly count: number
  readonly waiting: Set<string>
  readonly failed: string[]
}

/** How many addresses a line names. */
const named = 5

/** How many ways between nodes a line names. */
const ways = 8

/** The address; of a prefix that holds more than one address the prefix. */
const bare = (address: string): string => address.replace(address.includes(':') ? /\/128$/ : /\/32$/, '')

/**
 * Tells in the log what a change of the cluster came to, in a few lines with one id: who came and went, what moved, and when it was
 * announced. However many addresses move, the lines are as few.
 */
export class Story {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #seed: string
  #chapters = 0
  #id: string | undefined
  #since: number | undefined
  #alive: ReadonlySet<string> | undefined
  /** From one node to another, how many Services. */
  #moves = new Map<string, number>()
  #taken = new Set<string>()
  #given = new Set<string>()
  /** By announcer, what it has said since the chapter began. */
  #said = new Map<string, Map<string, boolean>>()
  #begun: { readonly announcer: string; readonly addresses: readonly string[] }[] = []
  readonly #tasks = new Map<string, Task>()

  /** @param seed what tells this process from others */
  constructor(clock: Clock, log: Logger, seed: string) {
    this.#clock = clock
    this.#log = log
    this.#seed = seed
  }

  /** The id of what is going on. */
  get takeover(): string {
    this.#id ??= createHash('sha256')
      .update(`${this.#seed} ${++this.#chapters}`)
      .digest('hex')
      .slice(0, 4)
    return this.#id
  }

  /** Something has changed that may move addresses: time counts from here. */
  notice(): void {
    this.#since ??= this.#clock.now()
  }

  /** A plan is about to be carried out, for these living nodes. @param silentMs for how long one that is gone had been silent */
  begin(
    alive: ReadonlySet<string> | undefined,
    silentMs: (node: string) => number | undefined = () => undefined,
  ): void {
    this.notice()
    const before = this.#alive
    if (alive === before) return
    this.#alive = alive
    if (!before || !alive) return
    const gone = [...before].filter(name => !alive.has(name))
    const came = [...alive].filter(name => !before.has(name))
    if (gone.length + came.length === 0) return
    const silences = gone.flatMap(name => silentMs(name) ?? [])
    const fields = {
      takeover: this.takeover,
      ...(gone.length > 0 ? { gone: gone.sort().slice(0, ways) } : {}),
      ...(silences.length > 0 ? { silentMs: Math.max(...silences) } : {}),
      ...(came.length > 0 ? { came: came.sort().slice(0, ways) } : {}),
      alive: alive.size,
    }
    this.#log.info(fields, 'the living nodes are others')
  }

  /** An announcer was given another set. */
  given(announcer: string, before: readonly Advertisement[], now: readonly Advertisement[]): void {
    const { out, into } = differences(before, now)
    const old = new Set(out.map(({ address }) => address))
    const fresh: string[] = []
    for (const { address } of into) if (!old.delete(address)) fresh.push(address)
    for (const address of old) this.#given.add(bare(address))
    for (const address of fresh) this.#taken.add(bare(address))
    const task = this.#tasks.get(announcer)
    for (const address of old) task?.waiting.delete(address)
    // What it did not come to say is no more its task.
    if (task?.waiting.size === 0) this.#tasks.delete(announcer)
    if (fresh.length > 0) this.#begun.push({ announcer, addresses: fresh })
  }

  /** An event of the speaker, of which moves are counted. */
  heard({ type, from, to }: Omit<SpeakerEvent, 'at'>): void {
    if (type !== 'ownerChanged') return
    const way = `${from ?? 'nobody'} > ${to ?? 'nobody'}`
    this.#moves.set(way, (this.#moves.get(way) ?? 0) + 1)
  }

  /** An announcer has said an address, or cannot. */
  said(announcer: string, address: string, able: boolean): void {
    const task = this.#tasks.get(announcer)
    if (this.#since !== undefined) {
      const said = this.#said.get(announcer) ?? new Map()
      this.#said.set(announcer, said.set(address, able))
    }
    if (task) this.#settle(announcer, task, address, able)
  }

  /** The plan has been carried out. */
  end(): void {
    const since = this.#since ?? this.#clock.now()
    if (this.#taken.size + this.#given.size + this.#moves.size > 0) {
      const addresses = [...this.#taken]
      const fields = {
        takeover: this.takeover,
        takes: addresses.length,
        gives: this.#given.size,
        ...(addresses.length > 0 ? { addresses: addresses.slice(0, named) } : {}),
        ...(this.#moves.size > 0 ? { services: Object.fromEntries([...this.#moves].slice(0, ways)) } : {}),
      }
      this.#log.info(fields, 'addresses move')
    }
    for (const { announcer, addresses } of this.#begun) {
      const waiting = new Set(addresses)
      const task: Task = { takeover: this.takeover, since, count: addresses.length, waiting, failed: [] }
      this.#tasks.set(announcer, task)
      for (const [address, able] of this.#said.get(announcer) ?? [])
        this.#settle(announcer, task, address, able)
    }
    this.#id = undefined
    this.#since = undefined
    this.#moves = new Map()
    this.#taken = new Set()
    this.#given = new Set()
    this.#said = new Map()
    this.#begun = []
  }

  #settle(announcer: string, task: Task, address: string, able: boolean): void {
    if (!task.waiting.delete(address)) return
    if (!able) task.failed.push(address)
    if (task.waiting.size > 0) return
    this.#tasks.delete(announcer)
    const { takeover, since, count, failed } = task
    const fields = {
      takeover,
      announcer,
      addresses: count - failed.length,
      ms: Math.round(this.#clock.now() - since),
    }
    if (failed.length === 0) this.#log.info(fields, 'announced')
    else
      this.#log.warn(
        { ...fields, failed: failed.length, such: failed.slice(0, named) },
        'announced, as far as was possible',
      )
  }
}
