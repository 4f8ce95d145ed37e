import { canonicalAddress } from '../address.ts'

/** Who holds an address, as its holder told everybody. */
export interface Claim {
  /** Canonical text. */
  readonly address: string
  readonly node: string
  /** One more than that of the claim it replaces; the higher one holds. */
  readonly term: number
  /** Wall-clock milliseconds. Between equal terms the earlier claim holds. */
  readonly since: number
}

/** What one address planned tells about its holder. */
interface Holding {
  readonly address: string
  readonly node: string | undefined
}

const beats = (a: Claim, b: Claim): boolean =>
  a.term !== b.term ? a.term > b.term : a.since !== b.since ? a.since < b.since : a.node < b.node

const isClaim = (value: unknown): value is readonly [string, string, number, number] => {
  if (!Array.isArray(value) || value.length !== 4) return false
  const [address, node, term, since] = value as readonly unknown[]
  return (
    typeof address === 'string' &&
    canonicalAddress(address) === address &&
    typeof node === 'string' &&
    node !== '' &&
    node.length <= 253 &&
    Number.isSafeInteger(term) &&
    (term as number) > 0 &&
    Number.isSafeInteger(since)
  )
}

/** Claims as bytes: a JSON array of `[address, node, term, since]`. */
export function encodeClaims(claims: Iterable<Claim>): Uint8Array {
  const rows = Array.from(claims, ({ address, node, term, since }) => [address, node, term, since])
  return new TextEncoder().encode(JSON.stringify(rows))
}

/** Reads claims; gives none where the bytes hold anything else. Never throws. */
export function decodeClaims(bytes: Uint8Array): readonly Claim[] {
  try {
    const rows: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    if (!Array.isArray(rows) || !rows.every(isClaim)) return []
    return rows.map(([address, node, term, since]) => ({ address, node, term, since }))
  } catch {
    return []
  }
}

/**
 * What makes ownership sticky: each owner claims the addresses that it was elected for, everybody remembers the claims, and the election
 * prefers who claimed while it may stand. Claims merge to the same result in whatever order they arrive.
 */
export class Claims {
  readonly #claims = new Map<string, Claim>()
  #incumbents: ReadonlyMap<string, string> = new Map()

  /** Who holds which address; a new map whenever that is different. */
  get incumbents(): ReadonlyMap<string, string> {
    return this.#incumbents
  }

  /** All claims, to tell a newcomer. */
  all(): readonly Claim[] {
    return [...this.#claims.values()]
  }

  /** Takes in what others claim. True when somebody else holds an address now. */
  merge(claims: readonly Claim[]): boolean {
    let changed = false
    for (const claim of claims) {
      const known = this.#claims.get(claim.address)
      if (known && !beats(claim, known)) continue
      this.#claims.set(claim.address, claim)
      if (known?.node !== claim.node) changed = true
    }
    if (changed) this.#refresh()
    return changed
  }

  /**
   * Claims for `self` what the plan gives it and it has not claimed yet. Gives the new claims, to be told to everybody. Addresses that
   * are planned no more are forgotten.
   */
  follow(holdings: ReadonlyMap<string, Holding>, self: string, since: number): readonly Claim[] {
    const made: Claim[] = []
    let forgotten = false
    for (const address of this.#claims.keys()) {
      if (holdings.has(address)) continue
      this.#claims.delete(address)
      forgotten = true
    }
    for (const { address, node } of holdings.values()) {
      const known = this.#claims.get(address)
      if (node !== self || known?.node === self) continue
      const claim = { address, node: self, term: (known?.term ?? 0) + 1, since }
      this.#claims.set(address, claim)
      made.push(claim)
    }
    if (forgotten || made.length > 0) this.#refresh()
    return made
  }

  #refresh(): void {
    this.#incumbents = new Map([...this.#claims].map(([address, { node }]) => [address, node]))
  }
}
