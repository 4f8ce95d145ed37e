import type { Endpoint } from '@carillon/core'

/** A message that waits, as it was sent. */
export interface Letter {
  readonly bytes: Uint8Array
  readonly from: Endpoint
  /** The member it comes from; undefined for strangers. */
  readonly member: string | undefined
}

const mostBytes = 4 * 1024 * 1024

/** The parts of the whole that one member may fill, and all strangers together. */
const ofMember = 1 / 8
const ofStrangers = 1 / 2

/** Messages that wait to be handled, the oldest first: so many, and so many of anybody, that nobody can fill it. */
export class Backlog {
  readonly #depth: number
  #letters: Letter[] = []
  #first = 0
  #bytes = 0
  readonly #waiting = new Map<string | undefined, number>()

  /** @param depth messages at most */
  constructor(depth: number) {
    this.#depth = depth
  }

  get size(): number {
    return this.#letters.length - this.#first
  }

  /** False when there is no room for it. */
  push(letter: Letter): boolean {
    const { member, bytes } = letter
    const waiting = this.#waiting.get(member) ?? 0
    const share = Math.ceil(this.#depth * (member === undefined ? ofStrangers : ofMember))
    if (waiting >= share || this.size >= this.#depth || this.#bytes + bytes.length > mostBytes) return false
    this.#waiting.set(member, waiting + 1)
    this.#bytes += bytes.length
    this.#letters.push(letter)
    return true
  }

  shift(): Letter | undefined {
    const letter = this.#letters[this.#first]
    if (!letter) return undefined
    this.#first++
    if (2 * this.#first > this.#letters.length) {
      this.#letters = this.#letters.slice(this.#first)
      this.#first = 0
    }
    this.#bytes -= letter.bytes.length
    const left = (this.#waiting.get(letter.member) ?? 1) - 1
    if (left > 0) this.#waiting.set(letter.member, left)
    else this.#waiting.delete(letter.member)
    return letter
  }
}
