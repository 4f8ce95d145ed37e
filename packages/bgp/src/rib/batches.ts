import { Buffer } from 'node:buffer'
import { MAX_EXTENDED_MESSAGE, MAX_MESSAGE, type RouteFamily } from '../wire/index.ts'
import { Batch } from './batch.ts'
import { announcement, type Mould, withdrawal } from './mould.ts'
import { bareSize, LONGEST } from './pack.ts'
import type { PathAttributes } from './path-attributes.ts'
import { attributesOf, type RibTerms } from './terms.ts'

/** Octets that an UPDATE can have in a session. */
export const limitOf = ({ dialect }: RibTerms): number =>
  dialect.extendedMessage ? MAX_EXTENDED_MESSAGE : MAX_MESSAGE

const keyOf = ({ before, after }: Mould): string => Buffer.concat([before, after]).toString('latin1')

/** The batches of one family in one session, one for each set of attributes: found by identity, then by value. */
export class Batches {
  readonly #family: RouteFamily
  #terms: RibTerms
  #withdrawals: Batch
  /** `null`: these attributes cannot be sent. */
  #byPath = new WeakMap<PathAttributes, Batch | null>()
  readonly #byValue = new Map<string, Batch>()
  #lastPath: PathAttributes | undefined
  #last: Batch | undefined

  constructor(family: RouteFamily, terms: RibTerms) {
    this.#family = family
    this.#terms = terms
    this.#withdrawals = new Batch(withdrawal(family, this.#nextHops))
  }

  get #nextHops(): NonNullable<RibTerms['nextHops'][RouteFamily]> {
    return this.#terms.nextHops[this.#family] ?? []
  }

  /** Where prefixes wait to be withdrawn. */
  get withdrawals(): Batch {
    return this.#withdrawals
  }

  /** How many sets of attributes are remembered. */
  get size(): number {
    return this.#byValue.size
  }

  /** Where prefixes wait to be announced with these attributes; undefined when the session cannot carry them. */
  of(path: PathAttributes): Batch | undefined {
    if (path === this.#lastPath) return this.#last
    const known = this.#byPath.get(path)
    const batch = known === undefined ? this.#make(path) : (known ?? undefined)
    if (known === undefined) this.#byPath.set(path, batch ?? null)
    this.#lastPath = path
    this.#last = batch
    return batch
  }

  /** The next hops are others. What waits for withdrawal has to be put into the new `withdrawals`. */
  renew(terms: RibTerms): void {
    this.#terms = terms
    this.#withdrawals = new Batch(withdrawal(this.#family, this.#nextHops))
    this.#forgetPaths()
  }

  /** Forgets all batches but these. */
  keep(used: ReadonlySet<Batch>): void {
    for (const [key, batch] of this.#byValue) if (!used.has(batch)) this.#byValue.delete(key)
    this.#forgetPaths()
  }

  #forgetPaths(): void {
    this.#byPath = new WeakMap()
    this.#lastPath = undefined
    this.#last = undefined
  }

  #make(path: PathAttributes): Batch | undefined {
    if (this.#nextHops.length === 0) return undefined
    const attributes = attributesOf(path, this.#terms)
    const mould = announcement(this.#family, this.#nextHops, attributes, this.#terms.dialect)
    if (bareSize(mould) + LONGEST[this.#family] > limitOf(this.#terms)) return undefined
    const key = keyOf(mould)
    const known = this.#byValue.get(key)
    if (known !== undefined) return known
    const batch = new Batch(mould)
    this.#byValue.set(key, batch)
    return batch
  }
}
