import { type Family, familyOf } from '../address.ts'
import { admits, refusal } from './admission.ts'
import { annotationPrefix } from './annotation.ts'
import type { Reason } from './assignment.ts'
import type { Claimant, Stages } from './claimant.ts'
import { explainConflict, explainNothing } from './explain.ts'
import type { Wanted } from './families.ts'
import type { Book, Claim, Ledger, Place } from './ledger.ts'
import type { Shelf } from './shelf.ts'

/** What a Service may look at while it decides: the pools, and those claims of others that count for it. */
export interface Market {
  readonly ledger: Ledger
  /** Whether addresses that are kept may be given up for a better pair in another pool. */
  readonly mayMove: boolean
  /** Where the Service may look without naming a pool. */
  stages(claimant: Claimant): Stages
  /** Who stands in the way of the Service having this address; undefined when nobody does. */
  blocker(address: string, claimant: Claimant): Claim | undefined
  /** The first number on the shelf that the Service can have. */
  firstFit(shelf: Shelf, claimant: Claimant): number | undefined
}

/** What a Service is to hold from now on. */
export interface Decision {
  /** In publishing order; all of one pool. */
  readonly places: readonly Place[]
  readonly reason?: Reason
  /** It would take more, or something else, if it could. */
  readonly waiting: boolean
  /** Some of the places were chosen for it. */
  readonly sought: boolean
}

const failed = (message: string): Reason => ({ code: 'AllocationFailed', message })
const holding = (places: readonly Place[]): Decision => ({ places, waiting: false, sought: false })
const refused = (kept: readonly Place[], reason: Reason): Decision => ({
  places: kept,
  reason:
    kept.length === 0
      ? reason
      : {
          ...reason,
          message: `${reason.message}; it keeps ${kept.map(({ address }) => address).join(' and ')} until then`,
        },
  waiting: true,
  sought: false,
})

const wants = (wanted: Wanted | undefined, family: Family): boolean =>
  wanted?.mode !== 'one' || wanted.family === family
const other = (family: Family): Family => (family === 4 ? 6 : 4)

/**
 * Of the addresses that a Service has or had, those that it may go on with: of its families, one of each, in one pool
 * that admits it, and not taken by somebody else.
 */
export function keep(claimant: Claimant, held: readonly Place[], market: Market): readonly Place[] {
  const { families } = claimant.facts
  const wanted = 'wanted' in families ? families.wanted : undefined
  const kept: Place[] = []
  for (const place of held) {
    const { family } = place.shelf
    if (!wants(wanted, family) || kept.some(one => one.shelf.family === family)) continue
    if (kept[0] ? kept[0].book !== place.book : !admits(place.book.pool, claimant)) continue
    if (!market.blocker(place.address, claimant)) kept.push(place)
  }
  return kept
}

/** Finds the places of addresses; those outside the pools are left out. */
export function placesOf(addresses: readonly string[], ledger: Ledger): readonly Place[] {
  const places: Place[] = []
  for (const address of addresses) {
    const location = ledger.locate(address)
    if (location && 'place' in location) places.push(location.place)
  }
  return places
}

function firstPlace(book: Book, family: Family, claimant: Claimant, market: Market): Place | undefined {
  const shelf = book[family]
  if (!shelf) return undefined
  const position = market.firstFit(shelf, claimant)
  return position === undefined ? undefined : { address: shelf.addressAt(position), book, shelf, position }
}

function firstPair(book: Book, claimant: Claimant, market: Market): readonly Place[] | undefined {
  const v4 = firstPlace(book, 4, claimant, market)
  const v6 = v4 && firstPlace(book, 6, claimant, market)
  return v4 && v6 && [v4, v6]
}

/** The first pool of a stage that gives what is wanted. */
function seekIn(
  books: readonly Book[],
  wanted: Wanted,
  claimant: Claimant,
  market: Market,
): readonly Place[] | undefined {
  const single = (family: (book: Book) => Family): readonly Place[] | undefined => {
    for (const book of books) {
      const place = firstPlace(book, family(book), claimant, market)
      if (place) return [place]
    }
    return undefined
  }
  const pair = (): readonly Place[] | undefined => {
    for (const book of books) {
      const places = firstPair(book, claimant, market)
      if (places) return places
    }
    return undefined
  }
  switch (wanted.mode) {
    case 'one':
      return single(() => wanted.family)
    case 'any':
      return single(book => (book[4] ? 4 : 6))
    case 'both':
      return pair()
    case 'prefer':
      return pair() ?? single(() => wanted.primary) ?? single(() => other(wanted.primary))
  }
}

function seek(
  stages: Stages,
  wanted: Wanted,
  claimant: Claimant,
  market: Market,
): readonly Place[] | undefined {
  for (const books of stages) {
    const places = seekIn(books, wanted, claimant, market)
    if (places) return places
  }
  return undefined
}

/** The places of the requested addresses, or why the Service cannot have them. */
function requested(claimant: Claimant, wanted: Wanted, market: Market): readonly Place[] | Reason {
  const { addresses, pool: wish } = claimant.facts.request
  const asked = addresses.join(' and ')
  const [first] = addresses
  if (
    wanted.mode === 'one' &&
    (addresses.length > 1 || (first !== undefined && familyOf(first) !== wanted.family))
  ) {
    return {
      code: 'FamilyMismatch',
      message: `the Service is IPv${wanted.family} only but asks for ${asked}: ask for one IPv${wanted.family} address`,
    }
  }
  if ((wanted.mode === 'both' || wanted.mode === 'prefer') && addresses.length < 2) {
    return {
      code: 'FamilyMismatch',
      message: `the Service is dual-stack but asks for ${asked} alone: ask for one IPv4 and one IPv6 address, or make it SingleStack`,
    }
  }
  const places: Place[] = []
  for (const address of addresses) {
    const location = market.ledger.locate(address)
    if (!location)
      return failed(
        `the requested address ${address} is in no IPAddressPool: ask for one that is, or add it to a pool`,
      )
    if ('leftOutBy' in location) {
      return failed(
        `pool "${location.leftOutBy.name}" does not hand out ${address} because of avoidBuggyIPs: ask for an address that does not end in .0 or .255`,
      )
    }
    places.push(location.place)
  }
  const [one, two] = places as [Place, Place?]
  if (two && two.book !== one.book) {
    return failed(
      `the requested addresses are in different pools, ${one.address} in "${one.book.pool.name}" and ${two.address} in "${two.book.pool.name}": ask for two of one pool`,
    )
  }
  const { pool } = one.book
  if (wish !== undefined && wish !== pool.name) {
    return failed(
      `${asked} ${two ? 'are' : 'is'} in pool "${pool.name}", but the Service asks for pool "${wish}": correct the annotation ${annotationPrefix}address-pool, or remove it`,
    )
  }
  const unwilling = refusal(pool, claimant)
  if (unwilling !== undefined)
    return failed(`the requested address ${one.address} cannot be given: ${unwilling}`)
  for (const { address } of places) {
    const claim = market.blocker(address, claimant)
    if (claim) return failed(explainConflict(claim, claimant))
  }
  return places
}

const sameAddresses = (places: readonly Place[], addresses: readonly string[]): boolean =>
  places.length === addresses.length && places.every(({ address }) => addresses.includes(address))

/** Where to look when a pool is named: there alone. */
function stagesFor(claimant: Claimant, market: Market): Stages | Reason {
  const wish = claimant.facts.request.pool
  if (wish === undefined) return market.stages(claimant)
  const book = market.ledger.books.find(({ pool }) => pool.name === wish)
  if (!book) {
    return failed(
      `there is no IPAddressPool "${wish}", which the annotation ${annotationPrefix}address-pool asks for: name one that exists, or remove the annotation`,
    )
  }
  const unwilling = refusal(book.pool, claimant)
  return unwilling === undefined ? [[book]] : failed(`the requested pool cannot be used: ${unwilling}`)
}

/** A new allocation, or the reason why there is none; `kept` stays where nothing better is found. */
function allocate(claimant: Claimant, wanted: Wanted, kept: readonly Place[], market: Market): Decision {
  const stages = stagesFor(claimant, market)
  if ('code' in stages) return refused(kept, stages)
  const places = seek(stages, wanted, claimant, market)
  if (!places) {
    const only = claimant.facts.request.pool === undefined ? undefined : stages[0]?.[0]
    return refused(kept, failed(explainNothing(claimant, wanted, market, only)))
  }
  return { places, waiting: wanted.mode === 'prefer' && places.length < 2, sought: true }
}

/** Adds the missing family from the pool that the Service is in. */
function complete(claimant: Claimant, wanted: Wanted, kept: readonly Place[], market: Market): Decision {
  const [one, two] = kept as [Place, Place?]
  if (two || wanted.mode === 'one' || wanted.mode === 'any') return holding(kept)
  const place = firstPlace(one.book, other(one.shelf.family), claimant, market)
  if (place) return { places: [one, place], waiting: false, sought: true }
  if (wanted.mode === 'prefer') return { places: kept, waiting: true, sought: false }
  if (market.mayMove) return allocate(claimant, wanted, kept, market)
  return refused(kept, failed(explainNothing(claimant, wanted, market, one.book)))
}

/**
 * Decides what a Service is to hold, given what it holds. Looks and does not touch: nothing is given up before what
 * replaces it is certain, so a refused request costs nothing.
 */
export function decide(claimant: Claimant, held: readonly Place[], market: Market): Decision {
  const { ignored, families, request } = claimant.facts
  if (ignored) return { places: [], reason: ignored, waiting: false, sought: false }
  if (market.ledger.books.length === 0) {
    return refused([], { code: 'NoPools', message: 'there is no IPAddressPool: create one' })
  }
  if ('refused' in families)
    return refused(families.keeps ? keep(claimant, held, market) : [], families.refused)
  const { wanted } = families
  const kept = keep(claimant, held, market)
  if (request.malformed !== undefined)
    return refused(kept, { code: 'LoadBalancerFailed', message: request.malformed })
  if (request.addresses.length > 0) {
    const places = requested(claimant, wanted, market)
    if ('code' in places) return refused(kept, places)
    return holding(sameAddresses(kept, request.addresses) ? kept : places)
  }
  const current = kept[0]?.book.pool.name
  if (current === undefined || (request.pool !== undefined && request.pool !== current)) {
    return allocate(claimant, wanted, kept, market)
  }
  return complete(claimant, wanted, kept, market)
}
