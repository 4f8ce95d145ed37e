import { type AddressBytes, type Clock, formatAddress, type Icmp6, type Network } from '@carillon/core'
import { solicitedNodeGroup } from './wire/ndp.ts'

// A join takes the kernel 50 µs and, with thousands of groups, more: they are spread out so that nothing else has to wait.
const SLICE = 100
const SLICE_EVERY_MS = 5

/**
 * The solicited-node groups of one interface (RFC 4861 section 7.2.1): joined with their first address, left with their last.
 * The socket behind them receives nothing; it makes the interface listen and the switch forward (MLD).
 */
export class SolicitedNodeGroups implements AsyncDisposable {
  readonly #socket: Icmp6
  readonly #clock: Clock
  readonly #failed: (error: unknown) => void
  /** Addresses in each group. */
  readonly #members = new Map<string, number>()
  /** Groups that have members but are not joined yet. */
  readonly #waiting = new Set<string>()
  #cancel: (() => void) | undefined

  private constructor(socket: Icmp6, clock: Clock, failed: (error: unknown) => void) {
    this.#socket = socket
    this.#clock = clock
    this.#failed = failed
  }

  /** `failed` is called when a group cannot be joined. */
  static async open(
    network: Network,
    link: number,
    clock: Clock,
    failed: (error: unknown) => void,
  ): Promise<SolicitedNodeGroups> {
    return new SolicitedNodeGroups(await network.icmp6(link, []), clock, failed)
  }

  add(address: AddressBytes): void {
    const group = formatAddress(solicitedNodeGroup(address))
    const members = this.#members.get(group) ?? 0
    if (members === 0) this.#waiting.add(group)
    this.#members.set(group, members + 1)
  }

  remove(address: AddressBytes): void {
    const group = formatAddress(solicitedNodeGroup(address))
    const members = this.#members.get(group) ?? 0
    if (members > 1) this.#members.set(group, members - 1)
    else if (this.#members.delete(group) && !this.#waiting.delete(group)) this.#socket.leave(group)
  }

  /** Joins what was added: the first hundred groups at once, the rest soon. */
  join(): void {
    this.#cancel?.()
    this.#cancel = undefined
    let room = SLICE
    try {
      for (const group of this.#waiting) {
        if (room-- === 0) break
        this.#socket.join(group)
        this.#waiting.delete(group)
      }
    } catch (error) {
      this.#failed(error)
      return
    }
    if (this.#waiting.size > 0) this.#cancel = this.#clock.after(SLICE_EVERY_MS, () => this.join())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancel?.()
    this.#members.clear()
    this.#waiting.clear()
    await this.#socket[Symbol.asyncDispose]()
  }
}
