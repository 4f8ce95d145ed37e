import type { Mould } from './mould.ts'
import type { PathAttributes } from './path-attributes.ts'
import type { PrefixWords } from './prefix-text.ts'

/** What is known of one prefix. */
export class Entry {
  readonly prefix: PrefixWords
  /** What it is to be announced with; undefined: it is to be withdrawn. */
  wanted: PathAttributes | undefined = undefined
  /** What it was announced with last in this session, and is held by the peer. */
  sent: Batch | undefined = undefined
  /** The peer has asked for it again. */
  stale = false
  /** Wanted, and cannot be said in this session. */
  failed = false
  /** Of the last declaration that named it. */
  mark = 0
  /** Where it waits to be sent, and beside whom. */
  batch: Batch | undefined = undefined
  previous: Entry | undefined = undefined
  next: Entry | undefined = undefined

  constructor(prefix: PrefixWords) {
    this.prefix = prefix
  }
}

/** Prefixes that wait to be announced with the same attributes, or to be withdrawn, in the order in which they came. */
export class Batch {
  readonly mould: Mould
  #first: Entry | undefined = undefined
  #last: Entry | undefined = undefined

  constructor(mould: Mould) {
    this.mould = mould
  }

  get first(): Entry | undefined {
    return this.#first
  }

  /** Appends one that waits nowhere. */
  push(entry: Entry): void {
    entry.batch = this
    entry.previous = this.#last
    if (this.#last === undefined) this.#first = entry
    else this.#last.next = entry
    this.#last = entry
  }

  /** Takes out one that waits here. */
  remove(entry: Entry): void {
    const { previous, next } = entry
    if (previous === undefined) this.#first = next
    else previous.next = next
    if (next === undefined) this.#last = previous
    else next.previous = previous
    entry.batch = undefined
    entry.previous = undefined
    entry.next = undefined
  }
}
