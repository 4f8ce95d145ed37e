import { type AddressBytes, formatAddress, type Icmp6, type Network } from '@carillon/core'
import { solicitedNodeGroup } from './wire/ndp.ts'

/**
 * The solicited-node groups of one interface (RFC 4861 section 7.2.1): joined with their first address, left with their last.
 * The socket behind them receives nothing; it makes the interface listen and the switch forward (MLD).
 */
export class SolicitedNodeGroups implements AsyncDisposable {
  readonly #socket: Icmp6
  /** Addresses in each group. */
  readonly #members = new Map<string, number>()

  private constructor(socket: Icmp6) {
    this.#socket = socket
  }

  static async open(network: Network, link: number): Promise<SolicitedNodeGroups> {
    return new SolicitedNodeGroups(await network.icmp6(link, []))
  }

  /** Throws when the group cannot be joined. */
  add(address: AddressBytes): void {
    const group = formatAddress(solicitedNodeGroup(address))
    const members = this.#members.get(group) ?? 0
    if (members === 0) this.#socket.join(group)
    this.#members.set(group, members + 1)
  }

  remove(address: AddressBytes): void {
    const group = formatAddress(solicitedNodeGroup(address))
    const members = this.#members.get(group) ?? 0
    if (members > 1) this.#members.set(group, members - 1)
    else if (this.#members.delete(group)) this.#socket.leave(group)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#members.clear()
    await this.#socket[Symbol.asyncDispose]()
  }
}
