import { type AddressBytes, formatAddress, type Icmp6, type Network } from '@carillon/core'
import { solicitedNodeGroup } from './wire/ndp.ts'

// The kernel charges about 60 bytes a group to the socket's option memory (net.core.optmem_max, 20 KiB before Linux 6.9).
const GROUPS_PER_SOCKET = 250

interface Membership {
  /** Addresses that share the group. */
  count: number
  socket: Icmp6 | undefined
}

/**
 * The solicited-node groups of one interface (RFC 4861 section 7.2.1): joined with their first address, left with their last.
 * Their sockets receive nothing; they make the interface listen and the switch forward (MLD).
 */
export class SolicitedNodeGroups implements AsyncDisposable {
  readonly #network: Network
  readonly #link: number
  readonly #failed: (error: unknown) => void
  readonly #memberships = new Map<string, Membership>()
  readonly #sockets = new Map<Icmp6, number>()
  #waiting: string[] = []
  #opening = false
  #closed = false

  /** `failed` is called when a group cannot be joined; the groups are then of no more use. */
  constructor(network: Network, link: number, failed: (error: unknown) => void) {
    this.#network = network
    this.#link = link
    this.#failed = failed
  }

  add(address: AddressBytes): void {
    const group = formatAddress(solicitedNodeGroup(address))
    const known = this.#memberships.get(group)
    if (known) {
      known.count++
      return
    }
    this.#memberships.set(group, { count: 1, socket: undefined })
    this.#waiting.push(group)
  }

  remove(address: AddressBytes): void {
    const group = formatAddress(solicitedNodeGroup(address))
    const known = this.#memberships.get(group)
    if (!known || --known.count > 0) return
    this.#memberships.delete(group)
    const { socket } = known
    if (!socket) return
    socket.leave(group)
    this.#sockets.set(socket, (this.#sockets.get(socket) ?? 1) - 1)
  }

  /** Joins what was added. At once, except where a further socket has to be opened first. */
  join(): void {
    try {
      for (const [socket, used] of this.#sockets) {
        this.#sockets.set(socket, used + this.#joinOn(socket, GROUPS_PER_SOCKET - used))
      }
    } catch (error) {
      this.#failed(error)
      return
    }
    if (this.#waiting.length === 0 || this.#opening || this.#closed) return
    this.#opening = true
    this.open().then(
      () => {
        this.#opening = false
        this.join()
      },
      (error: unknown) => {
        this.#opening = false
        if (!this.#closed) this.#failed(error)
      },
    )
  }

  /** Opens one more socket for groups to be joined on. Rejects with what stands in the way. */
  async open(): Promise<void> {
    const socket = await this.#network.icmp6(this.#link, [])
    if (this.#closed) await socket[Symbol.asyncDispose]()
    else this.#sockets.set(socket, 0)
  }

  #joinOn(socket: Icmp6, room: number): number {
    let joined = 0
    for (const group of this.#waiting.splice(0, room)) {
      const membership = this.#memberships.get(group)
      // Left again while it waited, or (left and added anew) in the queue twice.
      if (!membership || membership.socket) continue
      socket.join(group)
      membership.socket = socket
      joined++
    }
    return joined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#waiting = []
    const sockets = [...this.#sockets.keys()]
    this.#sockets.clear()
    this.#memberships.clear()
    await Promise.all(sockets.map(socket => socket[Symbol.asyncDispose]()))
  }
}
