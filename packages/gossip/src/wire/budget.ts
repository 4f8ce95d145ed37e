import { encryptionOverhead } from './encrypt.ts'
import { LABEL_HEADER } from './label.ts'
import { outgoingKey, type WireOptions } from './options.ts'

/** What a packet's header takes from the room for broadcasts: the type and count of a compound. */
const COMPOUND_HEADER = 2

/** What each broadcast takes beside its own bytes: its length in a compound. */
export const PART_OVERHEAD = 2

/** What each user broadcast takes beside its payload: that length and the type byte. */
export const USER_OVERHEAD = 3

/**
 * Bytes that broadcasts may take in a packet of `packetBytes` (1400 by default in memberlist), each of them costing its length
 * and `PART_OVERHEAD`; `carrier`: the length of the message that they travel with, undefined for a gossip packet of its own.
 * Reckoned before compression and without the checksum, as memberlist does: a packet may be 5 bytes longer than `packetBytes`.
 */
export function broadcastRoom(packetBytes: number, options: WireOptions, carrier?: number): number {
  const { label, keys, encryptionVersion = 1 } = options
  // Gossip of its own leaves room for encryption even while it is not yet switched on for what we send.
  const key = carrier === undefined ? keys?.keys[0] : outgoingKey(options)
  const labelBytes = label === undefined || label.length === 0 ? 0 : LABEL_HEADER + label.length
  const cipherBytes = key === undefined ? 0 : encryptionOverhead[encryptionVersion]
  return packetBytes - (carrier ?? 0) - COMPOUND_HEADER - labelBytes - cipherBytes
}
