import type { Family } from '../address.ts'
import { refusal } from './admission.ts'
import { annotationPrefix } from './annotation.ts'
import type { Claimant } from './claimant.ts'
import type { Market } from './decide.ts'
import type { Wanted } from './families.ts'
import type { Book, Claim } from './ledger.ts'
import { commonPort } from './sharing.ts'

/** Why the Service cannot have the address of this claim beside its holder. */
export function explainConflict({ slot, holder, sharing: theirs }: Claim, claimant: Claimant): string {
  const held = `${slot.address} is in use by Service ${holder.key}`
  const ours = claimant.facts.sharing
  const key = `${annotationPrefix}allow-shared-ip`
  if (ours.key === '' && theirs.key === '')
    return `${held}: ask for another address, or give both Services the same ${key}`
  if (ours.key === '')
    return `${held}, which shares it as "${theirs.key}": give this Service the same ${key}, or ask for another address`
  if (theirs.key === '')
    return `${held}, which does not share it: give that Service the same ${key}, or ask for another address`
  if (ours.key !== theirs.key) {
    return `${held}, which shares it as "${theirs.key}" and not as "${ours.key}": give both the same ${key}, or ask for another address`
  }
  if (ours.backend !== theirs.backend) {
    return `${held}, whose externalTrafficPolicy leads to other Pods: give both the policy Cluster, or Local with the same selector, or ask for another address`
  }
  return `${held} with the same port ${commonPort(ours, theirs) ?? ''}: change the port, or ask for another address`
}

/** How many pools a message tells about. */
const told = 5

const count = (capacity: bigint): string => {
  if (capacity === 0n) return 'it has none that it may hand out'
  if (capacity === 1n) return 'its only one is in use'
  return `all ${capacity} are in use`
}

/** Why the pool gives no address of the family; undefined when it would. */
function lack(book: Book, family: Family, claimant: Claimant, market: Market): string | undefined {
  const shelf = book[family]
  if (!shelf) return `no IPv${family} addresses`
  return market.firstFit(shelf, claimant) === undefined
    ? `no IPv${family} address left (${count(shelf.capacity)})`
    : undefined
}

const familiesFor = (wanted: Wanted, book: Book): readonly Family[] => {
  switch (wanted.mode) {
    case 'one':
      return [wanted.family]
    case 'any':
      return [book[4] ? 4 : 6]
    case 'both':
    case 'prefer':
      return [4, 6]
  }
}

function explainPool(book: Book, named: boolean, wanted: Wanted, claimant: Claimant, market: Market): string {
  const { pool } = book
  const unwilling = refusal(pool, claimant)
  if (unwilling !== undefined) return unwilling
  if (!pool.autoAssign && !named)
    return `pool "${pool.name}" serves only Services that ask for it (autoAssign: false)`
  const lacks = familiesFor(wanted, book)
    .map(family => lack(book, family, claimant, market))
    .filter(text => text !== undefined)
  return `pool "${pool.name}" has ${lacks.join(' and ')}`
}

const needed = (wanted: Wanted): string => {
  switch (wanted.mode) {
    case 'one':
      return `an IPv${wanted.family} address`
    case 'both':
      return 'both an IPv4 and an IPv6 address'
    case 'any':
    case 'prefer':
      return 'an address'
  }
}

/**
 * Why no pool gives the Service an address. `only`: the one pool that counts, because the Service asks for it or has an
 * address of it.
 */
export function explainNothing(claimant: Claimant, wanted: Wanted, market: Market, only?: Book): string {
  const books = only ? [only] : market.ledger.books
  const reasons = books
    .slice(0, told)
    .map(book => explainPool(book, only !== undefined, wanted, claimant, market))
  if (books.length > told) reasons.push(`and ${books.length - told} more pools`)
  const nobody = only ? 'its pool does not have' : 'no pool has'
  return `${nobody} ${needed(wanted)} for this Service: ${reasons.join('; ')}. Add addresses to a pool that admits it, or free some`
}
