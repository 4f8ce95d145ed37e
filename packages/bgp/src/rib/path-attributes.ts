import { CarillonError, canonicalCommunity } from '@carillon/core'
import type { Attributes } from '../wire/index.ts'

/**
 * What a route says beside its prefix, the same for every peer. Many routes share one object, which must not be changed; routes of
 * one object go into one UPDATE.
 */
export interface PathAttributes {
  /** @default 'igp' */
  readonly origin?: 'igp' | 'egp' | 'incomplete'
  /** For peers in our AS only. @default 100 */
  readonly localPref?: number
  readonly med?: number
  /** RFC 1997: 32-bit values. */
  readonly communities?: readonly number[]
  /** RFC 8092 */
  readonly largeCommunities?: NonNullable<Attributes['largeCommunities']>
}

/** Communities by kind, as attributes carry them. */
export type Communities = Required<Pick<PathAttributes, 'communities' | 'largeCommunities'>>

/** Reads `65000:1` and `large:65000:1:2`, in their order. Throws `BAD_ROUTE` for what is neither. */
export function readCommunities(texts: readonly string[]): Communities {
  const communities: number[] = []
  const largeCommunities: (readonly [number, number, number])[] = []
  for (const text of texts) {
    const canonical = canonicalCommunity(text)
    if (canonical === undefined)
      throw new CarillonError('BAD_ROUTE', `"${text}" is not a community: write 65000:1 or large:65000:1:2`, {
        community: text,
      })
    const [a, b, c] = canonical.split(':').slice(-3).map(Number) as [number, number, number]
    if (canonical.startsWith('large:')) largeCommunities.push([a, b, c])
    else communities.push(a * 0x10000 + b)
  }
  return { communities, largeCommunities }
}

/** How many sets of attributes are remembered. */
const REMEMBERED = 1024

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

/** Gives the same attributes as the same object, so that their routes are found to belong together at a glance. */
export class PathAttributesPool {
  readonly #known = new Map<string, PathAttributes>()
  /** Routes that stand side by side often have the same attributes. */
  #last: { localPref: number; communities: readonly string[]; attributes: PathAttributes } | undefined

  /** `localPref` 0: unset. Throws `BAD_ROUTE` as `readCommunities` does. */
  of(localPref: number, communities: readonly string[]): PathAttributes {
    const last = this.#last
    if (last?.localPref === localPref && sameTexts(last.communities, communities)) return last.attributes
    const attributes = this.#find(localPref, communities)
    this.#last = { localPref, communities: communities.slice(), attributes }
    return attributes
  }

  #find(localPref: number, communities: readonly string[]): PathAttributes {
    const key = `${localPref} ${communities.join(' ')}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const attributes = { ...(localPref !== 0 && { localPref }), ...readCommunities(communities) }
    // One that is forgotten is only made anew.
    if (this.#known.size >= REMEMBERED) this.#known.clear()
    this.#known.set(key, attributes)
    return attributes
  }
}
