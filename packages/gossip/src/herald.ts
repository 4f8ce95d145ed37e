import { living, type MemberRecord } from './member-record.ts'
import type { Swim } from './swim.ts'
import { type Dead, encodeMessage } from './wire/index.ts'

/** Told beside those concerned, where there are too many to tell all. */
const told = 8

/**
 * Told by everyone who hears of a death: so many that in one case of fifty one of `n` is not reached by any of the others, and has to wait
 * for the gossip.
 */
const fanOut = (n: number): number => Math.ceil(Math.log(n)) + 4

/** Deaths passed on within such a time in milliseconds; when half a large cluster dies, gossip tells of the others. */
const passedOnAtMost = 64
const windowMs = 100

/** Tells urgent news at once, and not at the next gossip tick: to everyone where they are few, else to some who pass it on. */
export class Herald {
  readonly #swim: Swim
  readonly #tellAllUpTo: number
  #since = Number.NEGATIVE_INFINITY
  #passedOn = 0

  /** @param tellAllUpTo members up to which news goes straight to everyone */
  constructor(swim: Swim, tellAllUpTo: number) {
    this.#swim = swim
    this.#tellAllUpTo = tellAllUpTo
  }

  /** Tells everyone where they are few; else those concerned, the subject, and a few who pass it on. */
  tell(bytes: Uint8Array, subject: MemberRecord, concerned: readonly string[]): void {
    const { members, name } = this.#swim
    if (members.size <= this.#tellAllUpTo) {
      for (const record of members.all()) {
        if (record.name === name || record.liveness === 'left') continue
        this.#swim.sendBare(record, [bytes], record)
      }
      return
    }
    this.tellThese(bytes, [subject.name, ...concerned])
    this.#tellSome(bytes, told)
  }

  tellThese(bytes: Uint8Array, names: readonly string[]): void {
    for (const one of names) {
      const record = this.#swim.members.get(one)
      if (record && one !== this.#swim.name) this.#swim.sendBare(record, [bytes], record)
    }
  }

  /** We objected to a rumour about us, or have just met the others: everybody is to know of us at once. */
  tellOfUs(): void {
    const { name: node, addr, port, meta, incarnation, vsn } = this.#swim.self
    this.tell(encodeMessage({ type: 'alive', incarnation, node, addr, port, meta, vsn }), this.#swim.self, [])
  }

  /** A death that we were told of: in a large cluster it is passed on at once. */
  passOn(message: Dead): void {
    const { members, options } = this.#swim
    if (members.size <= this.#tellAllUpTo) return
    const now = options.clock.now()
    if (now - this.#since >= windowMs) {
      this.#since = now
      this.#passedOn = 0
    }
    if (++this.#passedOn <= passedOnAtMost) this.#tellSome(encodeMessage(message), fanOut(members.size))
  }

  #tellSome(bytes: Uint8Array, count: number): void {
    const { members, name, options } = this.#swim
    const suits = (record: MemberRecord): boolean => record.name !== name && living(record)
    for (const record of members.sample(count, options.random, suits))
      this.#swim.sendBare(record, [bytes], record)
  }
}
