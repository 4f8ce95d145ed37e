import type { DropReason } from './counters.ts'
import type { OwnedAddress } from './owned.ts'
import { isMac, isStation, type Responder, type ResponderWorld } from './responder.ts'
import { encodeEthernet, etherTypes } from './wire/ethernet.ts'
import { fold, ICMPV6, sumWords } from './wire/icmp6.ts'
import { encodeIpv6 } from './wire/ipv6.ts'
import { allNodes, encodeNdp, multicastMac, ndpTypes, unspecified } from './wire/ndp.ts'

// Where the fields of a neighbour message begin in its frame, see wire/ethernet.ts, wire/ipv6.ts and wire/ndp.ts.
const SOURCE_MAC = 6
const PAYLOAD_LENGTH = 18
const NEXT_HEADER = 20
const HOP_LIMIT = 21
const SOURCE = 22
const DESTINATION = 38
const TYPE = 54
const CODE = 55
const CHECKSUM = 56
const FLAGS = 58
const TARGET = 62
const OPTIONS = 78

const SOLICITED = 0x40
const OVERRIDE = 0x20
const SOURCE_LINK_LAYER = 1
const TARGET_LINK_LAYER = 2

const allNodesMac = multicastMac(allNodes)

/** What `#option` answers besides the position of an option. */
const ABSENT = 0
const BROKEN = -1

/**
 * Answers neighbour solicitations for the addresses of one interface (RFC 4861, RFC 4862). What comes in is read in place and
 * what goes out is patched into a frame made beforehand: an answer allocates nothing.
 */
export class NdpResponder implements Responder {
  readonly #world: ResponderWorld
  readonly #advertisement: Uint8Array
  /** Sum of all that is the same in every advertisement: pseudo header and option. */
  readonly #constantSum: number

  constructor(world: ResponderWorld) {
    this.#world = world
    // Router 0: a service address is nobody's gateway. Override 1: these are unicast addresses and we answer as their owner,
    // not as a proxy (RFC 4861 section 7.2.4), so an answer must replace what a client still has of the owner before us;
    // with Override 0 a client would go on sending to a dead MAC address until it has found out by itself.
    const message = encodeNdp(
      {
        message: 'advertisement',
        router: false,
        solicited: false,
        override: true,
        target: unspecified,
        options: [{ option: 'targetLinkLayer', mac: world.mac }],
      },
      unspecified,
      unspecified,
    )
    const packet = encodeIpv6({
      trafficClass: 0,
      flowLabel: 0,
      nextHeader: ICMPV6,
      hopLimit: 255,
      source: unspecified,
      destination: unspecified,
      payload: message,
    })
    const header = { destination: allNodesMac, source: world.mac, etherType: etherTypes.ipv6 }
    this.#advertisement = encodeEthernet({ ...header, payload: packet })
    this.#advertisement.fill(0, CHECKSUM, TARGET)
    const { length } = this.#advertisement
    this.#constantSum = sumWords(this.#advertisement, SOURCE, length) + (length - TYPE) + ICMPV6
  }

  receive(frame: Uint8Array): void {
    const reason = this.#deal(frame)
    if (reason !== undefined) this.#world.counters.drop(reason)
  }

  /** Why the frame is dropped, if it is. */
  #deal(frame: Uint8Array): DropReason | undefined {
    const { table } = this.#world
    if (frame.length < OPTIONS) return 'short'
    if (frame[12] !== 0x86 || frame[13] !== 0xdd || (frame[14] as number) >>> 4 !== 6) return 'malformed'
    const type = frame[TYPE]
    // Not neighbour discovery at all: only a filter that lets more through than it must shows us such a packet.
    if (
      frame[NEXT_HEADER] !== ICMPV6 ||
      (type !== ndpTypes.solicitation && type !== ndpTypes.advertisement)
    ) {
      return undefined
    }
    const owned = table.find6(frame, TARGET)
    if (!owned) return undefined

    // RFC 4861 sections 7.1.1 and 7.1.2.
    if (frame[HOP_LIMIT] !== 255) return 'hopLimit'
    if (frame[CODE] !== 0) return 'malformed'
    const length = ((frame[PAYLOAD_LENGTH] as number) << 8) | (frame[PAYLOAD_LENGTH + 1] as number)
    const end = TYPE + length
    if (end < OPTIONS || end > frame.length) return 'short'
    if (fold(sumWords(frame, SOURCE, end) + length + ICMPV6) !== 0xffff) return 'checksum'
    if (frame[SOURCE] === 0xff) return 'sender'

    return type === ndpTypes.solicitation
      ? this.#solicited(frame, end, owned)
      : this.#advertised(frame, end, owned)
  }

  /** Where the 6 bytes of the link-layer address option begin; `ABSENT`, or `BROKEN` when an option is. */
  #option(frame: Uint8Array, end: number, wanted: number): number {
    let found = ABSENT
    for (let at = OPTIONS; at < end; ) {
      const length = at + 1 < end ? (frame[at + 1] as number) * 8 : 0
      if (length === 0 || at + length > end) return BROKEN
      if (frame[at] === wanted && length === 8 && found === ABSENT) found = at + 2
      at += length
    }
    return found
  }

  #solicited(frame: Uint8Array, end: number, owned: OwnedAddress): DropReason | undefined {
    const { mac } = this.#world
    if (!isMac(frame, 0, mac) && (frame[0] !== 0x33 || frame[1] !== 0x33)) return 'destination'
    const option = this.#option(frame, end, SOURCE_LINK_LAYER)
    if (option === BROKEN) return 'option'
    if (isUnspecified(frame, SOURCE)) return this.#probed(frame, option, owned)
    // A solicitation without the option is a reachability check or comes from a host that may leave it out (RFC 4861 section
    // 7.2.2): where it came from is in the frame.
    const from = option === ABSENT ? SOURCE_MAC : option
    if (!isStation(frame, from)) return 'sender'
    this.#count(owned)
    const answer = this.#advertisement
    for (let i = 0; i < 6; i++) answer[i] = frame[from + i] as number
    for (let i = 0; i < 16; i++) answer[DESTINATION + i] = frame[SOURCE + i] as number
    this.#send(owned, SOLICITED | OVERRIDE)
    owned.responses++
    return undefined
  }

  /**
   * Someone asks whether it may have our address (RFC 4862 section 5.4.3). It has no address to be answered at, so the answer
   * goes to all nodes and is not marked as solicited (RFC 4861 section 7.2.4).
   */
  #probed(frame: Uint8Array, option: number, owned: OwnedAddress): DropReason | undefined {
    if (option !== ABSENT || !isSolicitedNode(frame, DESTINATION)) return 'malformed'
    this.#count(owned)
    this.#toAllNodes(owned)
    owned.responses++
    return undefined
  }

  #advertised(frame: Uint8Array, end: number, owned: OwnedAddress): DropReason | undefined {
    const world = this.#world
    const option = this.#option(frame, end, TARGET_LINK_LAYER)
    if (option === BROKEN) return 'option'
    const from = option === ABSENT ? SOURCE_MAC : option
    if (!isStation(frame, from)) return 'sender'
    if (!world.isOwnMac(frame, from) && !world.isOwnMac(frame, SOURCE_MAC)) world.claimed(owned, frame, from)
    return undefined
  }

  announce(owned: OwnedAddress): void {
    this.#toAllNodes(owned)
    owned.gratuitous++
    this.#world.counters.count(owned)
  }

  #count(owned: OwnedAddress): void {
    owned.requests++
    if (!owned.counted) this.#world.counters.count(owned)
  }

  #toAllNodes(owned: OwnedAddress): void {
    this.#advertisement.set(allNodesMac, 0)
    this.#advertisement.set(allNodes, DESTINATION)
    this.#send(owned, OVERRIDE)
  }

  /** Completes the prepared advertisement, whose destination is set, and sends it. */
  #send(owned: OwnedAddress, flags: number): void {
    const frame = this.#advertisement
    const target = owned.bytes
    for (let i = 0; i < 16; i++) {
      const byte = target[i] as number
      // It comes from the address that it speaks of, as a kernel's does for an address of its own: ndisc6, for one, takes no
      // answer from a link-local address when it asked for a global one.
      frame[SOURCE + i] = byte
      frame[TARGET + i] = byte
    }
    frame[FLAGS] = flags
    const sum =
      this.#constantSum + (flags << 8) + sumWords(frame, DESTINATION, TYPE) + 2 * sumWords(target, 0, 16)
    const checksum = ~fold(sum) & 0xffff
    frame[CHECKSUM] = checksum >>> 8
    frame[CHECKSUM + 1] = checksum & 0xff
    this.#world.send(frame)
  }
}

function isUnspecified(frame: Uint8Array, at: number): boolean {
  for (let i = 0; i < 16; i++) if (frame[at + i] !== 0) return false
  return true
}

/** Whether the address at `at` is in ff02::1:ff00:0/104. */
function isSolicitedNode(frame: Uint8Array, at: number): boolean {
  if (frame[at] !== 0xff || frame[at + 1] !== 2 || frame[at + 11] !== 1 || frame[at + 12] !== 0xff)
    return false
  for (let i = 2; i < 11; i++) if (frame[at + i] !== 0) return false
  return true
}
