import type { Arena } from './native.ts'

/**
 * Views of the messages that lie in the arena. A view is kept and given out again while the messages in its slot have the
 * same length, so that a steady stream of frames allocates nothing.
 */
export class Inbox {
  readonly #arena: Arena
  readonly #views: Uint8Array[] = []

  constructor(arena: Arena) {
    this.#arena = arena
  }

  /** The message in a slot; undefined when it did not fit. Valid until the next batch is read. */
  message(slot: number): Uint8Array | undefined {
    const { data, lengths, slotSize } = this.#arena
    const length = lengths[slot] as number
    const kept = this.#views[slot]
    if (kept !== undefined && kept.length === length) return kept
    if (length < 0) return undefined
    const view = data.subarray(slot * slotSize, slot * slotSize + length)
    this.#views[slot] = view
    return view
  }

  /** The sender's `struct sockaddr`. Valid until the next batch is read. */
  name(slot: number): Uint8Array {
    const { names, nameSize } = this.#arena
    return names.subarray(slot * nameSize, (slot + 1) * nameSize)
  }

  /** TTL or hop limit; -1 when the kernel did not say. */
  hopLimit(slot: number): number {
    return this.#arena.hopLimits[slot] as number
  }
}
