import { canonicalAddress, type Logger, parseAddress } from '@carillon/core'
import { living } from './member-record.ts'
import { addressText, endpointOf, type NodeAddress } from './node-address.ts'
import { shuffle } from './shuffle.ts'
import type { Swim } from './swim.ts'

/** Finds the addresses of a host name; none when there are none. */
export type Resolve = (host: string) => Promise<readonly string[]>

interface JoinerOptions {
  readonly swim: Swim
  readonly targets: readonly string[]
  readonly defaultPort: number
  readonly exchange: (at: NodeAddress) => Promise<boolean>
  readonly log: Logger
  readonly resolve?: Resolve
}

const lookUp: Resolve = async host => {
  const { lookup } = await import('node:dns/promises')
  return (await lookup(host, { all: true })).map(found => found.address)
}

/** `host`, `host:port`, `[address]:port`, a bare IPv6 address; a `name/` in front is ignored. */
function split(target: string, defaultPort: number): { readonly host: string; readonly port: number } {
  const text = target.slice(target.indexOf('/') + 1)
  const bracketed = /^\[([^\]]+)\](?::(\d+))?$/.exec(text)
  const plain = /^([^:]+)(?::(\d+))?$/.exec(text)
  const match = bracketed ?? plain
  if (!match) return { host: text, port: defaultPort }
  return { host: match[1] as string, port: match[2] === undefined ? defaultPort : Number(match[2]) }
}

/** Members called at once, so that a long list of them does not stall anybody. */
const mostAtOnce = 8

/** How much sooner one tries again that knows nobody. */
const hurry = 0.25

const textOf = ({ addr, port }: NodeAddress): string => `${addressText(addr)} ${port}`

/** Finds the others: those of the join list until they are members, and those that were lost until they are back or forgotten. */
export class Joiner {
  readonly #options: JoinerOptions
  /** Whom to look for, by address. */
  readonly #wanted = new Map<string, NodeAddress>()
  readonly #busy = new Set<string>()
  #cancel: (() => void) | undefined
  #stopped = false

  constructor(options: JoinerOptions) {
    this.#options = options
  }

  start(): void {
    void this.#round()
  }

  stop(): void {
    this.#stopped = true
    this.#cancel?.()
  }

  /** Tries each once; gives how many answered. */
  async join(targets: readonly string[]): Promise<number> {
    const found = await Promise.all(targets.map(target => this.#addressesOf(target)))
    const met = await Promise.all(found.flat().map(at => this.#options.exchange(at)))
    return met.filter(Boolean).length
  }

  async #addressesOf(target: string): Promise<readonly NodeAddress[]> {
    const { host, port } = split(target, this.#options.defaultPort)
    const literal = canonicalAddress(host)
    try {
      const addresses = literal === undefined ? await (this.#options.resolve ?? lookUp)(host) : [literal]
      return addresses.map(address => ({ addr: parseAddress(address), port }))
    } catch (error) {
      this.#options.log.debug({ host, err: error }, 'a name of the join list cannot be resolved')
      return []
    }
  }

  async #round(): Promise<void> {
    const { swim, targets } = this.#options
    const { settings, clock, random } = swim.options
    const found = (await Promise.all(targets.map(target => this.#addressesOf(target)))).flat()
    if (this.#stopped) return
    const own = textOf(swim.options.address)
    this.#wanted.clear()
    const lost = swim.members.gone().filter(({ liveness, name }) => liveness === 'dead' && name !== swim.name)
    // In no order: all the others may have been given the same list.
    for (const at of shuffle([...found, ...lost], random)) {
      const key = textOf(at)
      if (key !== own) this.#wanted.set(key, at)
    }
    this.#next()
    // Spread, so that a cluster that starts at once does not stay in step. Who has found nobody yet is in more of a hurry.
    const alone = swim.members.size === 1
    const delay = settings.rejoinIntervalMs * (0.5 + random()) * (alone ? hurry : 1)
    this.#cancel = clock.after(delay, () => void this.#round())
  }

  /** Takes the next few: a long list is often met in full by meeting one of it. */
  #next(): void {
    const { swim } = this.#options
    for (const [key, at] of this.#wanted) {
      if (this.#busy.size >= mostAtOnce || this.#stopped || swim.leaving) return
      this.#wanted.delete(key)
      const { address, port } = endpointOf(at)
      const known = swim.members.atAddress(address, port)
      if (!this.#busy.has(key) && !(known && living(known))) void this.#meet(key, at)
    }
  }

  async #meet(key: string, at: NodeAddress): Promise<void> {
    this.#busy.add(key)
    try {
      await this.#options.exchange(at)
    } finally {
      this.#busy.delete(key)
      this.#next()
    }
  }
}
