import { type AddressBytes, type Clock, parseAddress } from '@carillon/core'
import type { SessionKey } from '../options.ts'
import { ECHO_PORT, FULL_TTL } from '../ports.ts'
import { decodeEcho, encodeEcho, encodeUdpFrame, type UdpFrame } from '../wire/index.ts'
import type { Place } from './place.ts'
import { sameBytes } from './same-bytes.ts'

/** Echo packets of which it is known when they were sent. */
const REMEMBERED = 64

/** What the session of an echo line is told. */
export interface EchoUser {
  readonly key: SessionKey
  readonly discriminator: number
  /** Echo packets can be sent and returned from now on; or why they cannot. */
  able(problem: string | undefined): void
  /** One has come back. */
  returned(roundTripMs: number): void
}

/** The echo packets of one session: those that we send by way of the peer, and those that the peer sends by way of us. */
export class EchoLine {
  readonly user: EchoUser
  readonly peer: AddressBytes
  readonly #clock: Clock
  readonly #key: Uint8Array
  readonly #sentAt = new Map<number, number>()
  #sequence = 0
  #peerMac: Uint8Array | undefined

  /** `key`: 8 bytes that nobody knows. */
  constructor(user: EchoUser, clock: Clock, key: Uint8Array) {
    this.user = user
    this.peer = parseAddress(user.key.peer)
    this.#clock = clock
    this.#key = key
  }

  /** The next echo packet, addressed to ourselves, for the peer to forward; undefined until the peer's MAC address is known. */
  next({ link, local }: Place): Uint8Array | undefined {
    if (this.#peerMac === undefined) return undefined
    this.#sequence = (this.#sequence + 1) >>> 0
    this.#sentAt.set(this.#sequence, this.#clock.now())
    this.#sentAt.delete(this.#sequence - REMEMBERED)
    return encodeUdpFrame({
      destinationMac: this.#peerMac,
      sourceMac: link.mac,
      source: local,
      destination: local,
      sourcePort: ECHO_PORT,
      destinationPort: ECHO_PORT,
      ttl: FULL_TTL,
      payload: encodeEcho({
        discriminator: this.user.discriminator,
        sequence: this.#sequence,
        key: this.#key,
      }),
    })
  }

  /** A control packet of the peer shows where its packets come from. A router on the way would have lowered the TTL. */
  learn({ source, sourceMac, ttl }: UdpFrame): void {
    if (ttl !== FULL_TTL || !sameBytes(source, this.peer)) return
    if (this.#peerMac === undefined || !sameBytes(this.#peerMac, sourceMac)) this.#peerMac = sourceMac.slice()
  }

  /** Whether the peer sent it to us, and not to itself. */
  isFromPeer({ destination, source }: UdpFrame): boolean {
    return sameBytes(source, this.peer) && !sameBytes(destination, this.peer)
  }

  /** Whether the frame holds an echo packet of this session. */
  takes({ payload }: UdpFrame): boolean {
    const echo = decodeEcho(payload)
    if (echo?.discriminator !== this.user.discriminator || !sameBytes(echo.key, this.#key)) return false
    const sentAt = this.#sentAt.get(echo.sequence)
    // The second copy of one says nothing new.
    if (sentAt !== undefined && this.#sentAt.delete(echo.sequence))
      this.user.returned(this.#clock.now() - sentAt)
    return true
  }

  /** The frame as the peer wants it back: forwarded by us, once. Undefined when it is not one to return. */
  reflection(frame: UdpFrame, { link }: Place): Uint8Array | undefined {
    if (frame.ttl !== FULL_TTL || !sameBytes(frame.destination, this.peer)) return undefined
    if (this.#peerMac === undefined || !sameBytes(frame.sourceMac, this.#peerMac)) return undefined
    return encodeUdpFrame({
      ...frame,
      destinationMac: frame.sourceMac,
      sourceMac: link.mac,
      ttl: frame.ttl - 1,
    })
  }
}
