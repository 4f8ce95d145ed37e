import { CarillonError, formatAddress, type Icmp6, parseAddress } from '@carillon/core'
import { type Attempt, check, errnoName, throwLater } from './failure.ts'
import { Inbox } from './inbox.ts'
import { linux, littleEndian } from './linux.ts'
import { type Native, type NativeSocket, WANT_HOP_LIMIT, WANT_NAME } from './native.ts'
import { bindToDevice, growReceiveBuffer } from './options.ts'
import { inetName, isLinkLocal } from './sockaddr.ts'

/** What went through an ICMPv6 socket. */
export interface Icmp6Stats {
  readonly received: number
  readonly sent: number
  readonly sendErrors: number
  /** Dropped because they came with another hop limit than 255, so from beyond the link. */
  readonly refused: number
}

/** core's ICMPv6 socket, with counters. */
export interface SystemIcmp6 extends Icmp6 {
  readonly stats: Icmp6Stats
}

/** `struct icmp6_filter`: a set bit blocks its type. */
export function icmp6Filter(types: readonly number[]): Uint8Array {
  const out = new Uint8Array(32).fill(0xff)
  const view = new DataView(out.buffer)
  for (const type of types) {
    const at = (type >> 5) * 4
    view.setUint32(at, view.getUint32(at, littleEndian) & ~(1 << (type & 31)), littleEndian)
  }
  return out
}

/** `struct ipv6_mreq`: a group and the interface it is joined on. */
function membership(group: Uint8Array, link: number): Uint8Array {
  const out = new Uint8Array(20)
  out.set(group)
  new DataView(out.buffer).setInt32(16, link, littleEndian)
  return out
}

/** Opens a raw ICMPv6 socket on one interface. The kernel fills in checksums and checks those that arrive. */
export function openIcmp6(native: Native, link: number, types: readonly number[]): SystemIcmp6 {
  const name = native.interfaceName(link)
  const attempt: Attempt = {
    opening: `ICMPv6 socket on ${name ? `interface ${name}` : `interface index ${link}`}`,
    needs: 'CAP_NET_RAW',
    details: { link },
  }
  if (name === '') {
    throw new CarillonError('ENODEV', `${attempt.opening}: there is no such interface`, {
      link,
      errno: 'ENODEV',
    })
  }
  const socket = new native.Socket()
  const set = (option: number, value: number, step: string): void => {
    check(socket.setInt(linux.IPPROTO_IPV6, option, value), step, attempt)
  }
  try {
    check(socket.open(linux.AF_INET6, linux.SOCK_RAW, linux.IPPROTO_ICMPV6), 'socket', attempt)
    const filter = icmp6Filter(types)
    check(socket.setBytes(linux.IPPROTO_ICMPV6, linux.ICMP6_FILTER, filter), 'ICMP6_FILTER', attempt)
    bindToDevice(socket, name, attempt)
    set(linux.IPV6_RECVHOPLIMIT, 1, 'IPV6_RECVHOPLIMIT')
    set(linux.IPV6_UNICAST_HOPS, 255, 'IPV6_UNICAST_HOPS')
    set(linux.IPV6_MULTICAST_HOPS, 255, 'IPV6_MULTICAST_HOPS')
    set(linux.IPV6_MULTICAST_LOOP, 0, 'IPV6_MULTICAST_LOOP')
    set(linux.IPV6_MULTICAST_IF, link, 'IPV6_MULTICAST_IF')
    growReceiveBuffer(socket, 1024 * 1024)
    return new RawIcmp6(native, socket, link, attempt)
  } catch (error) {
    socket.close()
    throw error
  }
}

class RawIcmp6 implements SystemIcmp6 {
  readonly #native: Native
  readonly #socket: NativeSocket
  readonly #link: number
  readonly #attempt: Attempt
  readonly #inbox: Inbox
  readonly #groups = new Map<string, { count: number; readonly holder: NativeSocket }>()
  /** Sockets that only hold memberships: one socket has room for a few hundred on older kernels (net.core.optmem_max). */
  readonly #holders: NativeSocket[] = []
  readonly #names = new Map<string, Uint8Array>()
  #handle: (from: string, message: Uint8Array) => void = () => {}
  #open = true
  #received = 0
  #sent = 0
  #sendErrors = 0
  #refused = 0

  constructor(native: Native, socket: NativeSocket, link: number, attempt: Attempt) {
    this.#native = native
    this.#socket = socket
    this.#link = link
    this.#attempt = attempt
    this.#inbox = new Inbox(native.arena)
  }

  get stats(): Icmp6Stats {
    return {
      received: this.#received,
      sent: this.#sent,
      sendErrors: this.#sendErrors,
      refused: this.#refused,
    }
  }

  send(to: string, message: Uint8Array): void {
    if (this.#socket.sendTo(message, this.#nameOf(to)) < 0) this.#sendErrors++
    else this.#sent++
  }

  receive(handle: (from: string, message: Uint8Array) => void): void {
    this.#handle = handle
    if (!this.#open) return
    check(this.#socket.receive(WANT_NAME | WANT_HOP_LIMIT, this.#batch), 'uv_poll', this.#attempt)
  }

  join(group: string): void {
    const address = parseAddress(group)
    const key = formatAddress(address)
    const known = this.#groups.get(key)
    if (known) known.count++
    else if (this.#open) this.#groups.set(key, { count: 1, holder: this.#enter(address, key) })
  }

  leave(group: string): void {
    const address = parseAddress(group)
    const key = formatAddress(address)
    const known = this.#groups.get(key)
    if (!known || --known.count > 0) return
    this.#groups.delete(key)
    // Fails only when the interface is gone, and the membership with it.
    known.holder.setBytes(linux.IPPROTO_IPV6, linux.IPV6_DROP_MEMBERSHIP, membership(address, this.#link))
  }

  #enter(address: Uint8Array, key: string): NativeSocket {
    const request = membership(address, this.#link)
    let result = 0
    for (const holder of [this.#socket, ...this.#holders]) {
      result = holder.setBytes(linux.IPPROTO_IPV6, linux.IPV6_ADD_MEMBERSHIP, request)
      if (result === 0) return holder
      const errno = errnoName(result)
      if (errno !== 'ENOMEM' && errno !== 'ENOBUFS') break
    }
    const step = `joining ${key}`
    const errno = errnoName(result)
    if (errno !== 'ENOMEM' && errno !== 'ENOBUFS') check(result, step, this.#attempt)
    const holder = new this.#native.Socket()
    check(holder.open(linux.AF_INET6, linux.SOCK_DGRAM, 0), step, this.#attempt)
    this.#holders.push(holder)
    check(holder.setBytes(linux.IPPROTO_IPV6, linux.IPV6_ADD_MEMBERSHIP, request), step, this.#attempt)
    return holder
  }

  #nameOf(to: string): Uint8Array {
    const known = this.#names.get(to)
    if (known) return known
    const percent = to.indexOf('%')
    const bytes = parseAddress(percent < 0 ? to : to.slice(0, percent))
    const name = inetName(6, { bytes, scope: isLinkLocal(bytes) ? this.#link : 0 }, 0)
    if (this.#names.size >= 1024) this.#names.clear()
    this.#names.set(to, name)
    return name
  }

  readonly #batch = (count: number): void => {
    const inbox = this.#inbox
    for (let slot = 0; slot < count && this.#open; slot++) {
      const message = inbox.message(slot)
      if (message === undefined || inbox.hopLimit(slot) !== 255) {
        this.#refused++
        continue
      }
      this.#received++
      try {
        this.#handle(formatAddress(inbox.name(slot).subarray(8, 24)), message)
      } catch (error) {
        throwLater(error)
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#open = false
    this.#groups.clear()
    this.#socket.close()
    for (const holder of this.#holders) holder.close()
  }
}
