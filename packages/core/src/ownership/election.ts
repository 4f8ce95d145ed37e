import { canonicalAddress } from '../address.ts'
import { compareDigests, ticket } from './hash/hasher.ts'
import { sha256 } from './hash/sha256.ts'

/** A node that may speak for an address. */
export interface Candidate {
  readonly node: string
  /** Sum of the weights of the preferences that match the node. @default 0 */
  readonly score?: number
}

/** A candidate and what its rank is computed from. */
export interface Standing {
  readonly node: string
  readonly score: number
  /** SHA-256 of `node#address`. */
  readonly digest: Uint8Array
}

/**
 * The candidates for an address from the first choice to the last: higher score first, then smaller SHA-256
 * of `node#address` with the address in canonical text. Every node that knows the same candidates finds the
 * same order, and so does MetalLB.
 */
export function rank(address: string, candidates: readonly Candidate[]): readonly Standing[] {
  const text = canonicalAddress(address) ?? address
  return candidates
    .map(({ node, score = 0 }) => ({ node, score, digest: sha256(ticket(node, text)) }))
    .sort((a, b) => b.score - a.score || compareDigests(a.digest, b.digest))
}

/** As `rank`, names only. */
export function succession(address: string, candidates: readonly Candidate[]): readonly string[] {
  return rank(address, candidates).map(({ node }) => node)
}

/** Who speaks for an address; undefined without candidates. */
export function elect(address: string, candidates: readonly Candidate[]): string | undefined {
  return rank(address, candidates)[0]?.node
}
