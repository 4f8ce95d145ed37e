import {
  CarillonError,
  canonicalCommunity,
  formatAddress,
  maskAddress,
  tryParseAddress,
} from '@carillon/core'
import type { Prefix } from '../wire/message.ts'

const bad = (text: string, why: string): CarillonError =>
  new CarillonError('BAD_ROUTE', `${text} cannot be announced: ${why}`, { prefix: text })

/** Reads `address/length`, or an address alone. Throws `BAD_ROUTE`. */
export function readPrefix(text: string): Prefix {
  const slash = text.indexOf('/')
  const address = tryParseAddress(slash < 0 ? text : text.slice(0, slash))
  if (!address) throw bad(`"${text}"`, 'it is not an IP prefix')
  const most = 8 * address.length
  const digits = slash < 0 ? String(most) : text.slice(slash + 1)
  const length = /^\d{1,3}$/.test(digits) ? Number(digits) : Infinity
  if (length > most) throw bad(`"${text}"`, `its length must be from 0 to ${most}`)
  const masked = maskAddress(address, length)
  if (masked.some((byte, i) => byte !== address[i]))
    throw bad(`"${text}"`, `it has bits beyond its length: ${formatAddress(masked)}/${length} is the prefix`)
  return { address, length }
}

/** Communities by kind, as attributes carry them. */
export interface Communities {
  readonly plain: readonly number[]
  readonly large: readonly (readonly [number, number, number])[]
}

/** Reads `65000:1` and `large:65000:1:2`. Throws `BAD_ROUTE`. */
export function readCommunities(texts: readonly string[], prefix: string): Communities {
  const plain: number[] = []
  const large: (readonly [number, number, number])[] = []
  for (const text of texts) {
    const canonical = canonicalCommunity(text)
    if (canonical === undefined)
      throw bad(prefix, `"${text}" is not a community: write 65000:1 or large:65000:1:2`)
    const numbers = canonical.split(':').slice(-3).map(Number)
    if (canonical.startsWith('large:')) large.push(numbers as [number, number, number])
    else plain.push((numbers[0] as number) * 0x10000 + (numbers[1] as number))
  }
  return { plain, large }
}
