import type { DropReason } from './counters.ts'
import type { OwnedAddress } from './owned.ts'
import { isMac, isStation, type Responder, type ResponderWorld } from './responder.ts'
import { arpOperations, encodeArp } from './wire/arp.ts'
import { broadcastMac, encodeEthernet, etherTypes } from './wire/ethernet.ts'

// Where the fields of an ARP frame begin, see wire/ethernet.ts and wire/arp.ts.
const SOURCE = 6
const OPERATION = 20
const SENDER_MAC = 22
const SENDER = 28
const TARGET_MAC = 32
const TARGET = 38
const LENGTH = 42

const anyone = new Uint8Array(4)

/**
 * Answers ARP for the addresses of one interface (RFC 826, RFC 5227). What comes in is read in place and what goes out is
 * patched into a frame made beforehand: an answer allocates nothing.
 */
export class ArpResponder implements Responder {
  readonly #world: ResponderWorld
  readonly #reply: Uint8Array
  readonly #announcements: readonly Uint8Array[]

  constructor(world: ResponderWorld) {
    this.#world = world
    const frame = (destination: Uint8Array, operation: number): Uint8Array =>
      encodeEthernet({
        destination,
        source: world.mac,
        etherType: etherTypes.arp,
        payload: encodeArp({
          operation,
          sender: { mac: world.mac, address: anyone },
          target: { mac: destination, address: anyone },
        }),
      })
    this.#reply = frame(broadcastMac, arpOperations.reply)
    // Some hosts learn only from the one, some only from the other.
    this.#announcements = [
      frame(broadcastMac, arpOperations.request),
      frame(broadcastMac, arpOperations.reply),
    ]
  }

  receive(frame: Uint8Array): void {
    const reason = this.#deal(frame)
    if (reason !== undefined) this.#world.counters.drop(reason)
  }

  /** Why the frame is dropped, if it is. */
  #deal(frame: Uint8Array): DropReason | undefined {
    const world = this.#world
    if (frame.length < LENGTH) return 'short'
    // Hardware Ethernet (1), protocol IPv4 (0x0800), address lengths 6 and 4.
    if (
      frame[15] !== 1 ||
      frame[14] !== 0 ||
      frame[16] !== 8 ||
      frame[17] !== 0 ||
      frame[18] !== 6 ||
      frame[19] !== 4 ||
      frame[OPERATION] !== 0 ||
      frame[12] !== 8 ||
      frame[13] !== 6
    ) {
      return 'malformed'
    }
    const operation = frame[OPERATION + 1]
    if (operation !== arpOperations.request && operation !== arpOperations.reply) return 'malformed'
    if (!isStation(frame, SENDER_MAC)) return 'sender'
    const sender = world.table.find4(frame, SENDER)
    // Whatever else it says: another station uses our address as its own (RFC 5227 section 2.4).
    if (sender && !world.isOwnMac(frame, SENDER_MAC) && !world.isOwnMac(frame, SOURCE)) {
      world.claimed(sender, frame, SENDER_MAC)
    }
    if (operation === arpOperations.reply) return undefined
    const target = world.table.find4(frame, TARGET)
    // A request for the sender's own address announces it (RFC 5227 section 2.3): a claim, and not a question. Answered, it
    // would tell a new owner of the address that the old one has not let go, which it is about to.
    return target && target !== sender ? this.#answer(frame, target) : undefined
  }

  #answer(request: Uint8Array, target: OwnedAddress): DropReason | undefined {
    const world = this.#world
    if (!isMac(request, 0, broadcastMac) && !isMac(request, 0, world.mac)) return 'destination'
    target.requests++
    if (!target.counted) world.counters.count(target)
    const reply = this.#reply
    for (let i = 0; i < 6; i++) {
      const byte = request[SENDER_MAC + i] as number
      reply[i] = byte
      reply[TARGET_MAC + i] = byte
    }
    for (let i = 0; i < 4; i++) {
      reply[SENDER + i] = request[TARGET + i] as number
      // 0.0.0.0 when it is a probe (RFC 5227 section 2.1.1), which is answered like any other request.
      reply[TARGET + i] = request[SENDER + i] as number
    }
    world.send(reply)
    target.responses++
    return undefined
  }

  announce(owned: OwnedAddress): void {
    for (const frame of this.#announcements) {
      frame.set(owned.bytes, SENDER)
      frame.set(owned.bytes, TARGET)
      this.#world.send(frame)
      owned.gratuitous++
    }
    this.#world.counters.count(owned)
  }
}
