const windowMs = 100

/** Packets within such a time: of one member, and of all others together. A member that watches closely sends some twenty. */
const ofMember = 512
const ofStrangers = 1024

/**
 * How much everybody may send us. What goes beyond is not even looked at, so that a flood costs little, and does not keep us from hearing
 * the others. Takes memory for members only.
 */
export class Allowance {
  readonly #packets = new Map<string, number>()
  #strangers = 0
  #since = Number.NEGATIVE_INFINITY

  /** Counts a packet of a member, or of a stranger (undefined); false when it is one too many. */
  admits(member: string | undefined, now: number): boolean {
    if (now - this.#since >= windowMs) {
      this.#since = now
      this.#packets.clear()
      this.#strangers = 0
    }
    if (member === undefined) return ++this.#strangers <= ofStrangers
    const packets = (this.#packets.get(member) ?? 0) + 1
    this.#packets.set(member, packets)
    return packets <= ofMember
  }
}
