import { CarillonError } from '@carillon/core'
import type { NextHop } from '../local/next-hop.ts'
import {
  AdjRibOut,
  type PathAttributesPool,
  type RibCounts,
  type RibTerms,
  readPrefix,
} from '../rib/index.ts'
import type { RouteFamily } from '../wire/message.ts'
import type { BgpRoute } from './route.ts'

/** What a session has agreed on, as far as routes depend on it. */
export interface RouteTerms extends Omit<RibTerms, 'nextHops'> {
  /** Of the families that both sides carry. */
  readonly nextHops: Readonly<Partial<Record<RouteFamily, NextHop>>>
  /** The peer keeps what it had of us before we restarted, until we say that we are done (RFC 4724). */
  readonly restarting: boolean
}

/** Changes to what was declared. */
export interface RouteChanges {
  /** New routes, or new attributes for prefixes that are announced already. */
  readonly announce?: readonly BgpRoute[]
  /** Prefixes. */
  readonly withdraw?: readonly string[]
}

/** How one route stands. */
export type RouteStanding =
  | { readonly state: 'announced' | 'pending' }
  | { readonly state: 'failed'; readonly error: CarillonError }

const pending: RouteStanding = { state: 'pending' }
const announced: RouteStanding = { state: 'announced' }
const names: Readonly<Record<RouteFamily, string>> = { ipv4: 'IPv4', ipv6: 'IPv6' }

const addresses = (hop: NextHop): RibTerms['nextHops'][RouteFamily] => ('address' in hop ? [hop.address] : [])

function ribHops(hops: RouteTerms['nextHops']): RibTerms['nextHops'] {
  const { ipv4, ipv6 } = hops
  return {
    ...(ipv4 && { ipv4: addresses(ipv4) ?? [] }),
    ...(ipv6 && { ipv6: addresses(ipv6) ?? [] }),
  }
}

/** The routes of one peer, from session to session. */
export class Routes {
  readonly #rib: AdjRibOut<BgpRoute>
  #declared = false
  #terms: RouteTerms | undefined

  constructor(pool: PathAttributesPool) {
    this.#rib = new AdjRibOut(({ localPref = 0, communities = [] }) => pool.of(localPref, communities))
  }

  /** Makes exactly these the routes. Throws `BAD_ROUTE`, and then changes nothing. */
  declare(routes: readonly BgpRoute[]): void {
    this.#rib.declare(routes)
    this.#declared = true
  }

  /** Changes some. Throws `BAD_ROUTE` for the first one that cannot be; those before it are changed. */
  change({ announce = [], withdraw = [] }: RouteChanges): void {
    for (const prefix of withdraw) this.#rib.withdraw(prefix)
    for (const route of announce) this.#rib.announce(route)
    this.#declared = true
  }

  get counts(): RibCounts {
    return this.#rib.counts
  }

  /** Whether there is nothing to say. */
  get idle(): boolean {
    return this.#held || this.#rib.idle
  }

  /** How a prefix stands; undefined when it is not declared. */
  standing(prefix: string): RouteStanding | undefined {
    const state = this.#rib.stateOf(prefix)
    if (state === 'failed') return { state, error: this.#failure(prefix) }
    return state && (state === 'announced' ? announced : pending)
  }

  /** A session begins. */
  open(terms: RouteTerms): void {
    this.#terms = terms
    this.#rib.open({ ...terms, nextHops: ribHops(terms.nextHops) })
  }

  /** The next hops are others. */
  renew(nextHops: RouteTerms['nextHops']): void {
    if (!this.#terms) return
    this.#terms = { ...this.#terms, nextHops }
    this.#rib.renew(ribHops(nextHops))
  }

  /** The session is over. */
  close(): void {
    this.#terms = undefined
    this.#rib.close()
  }

  /** The peer is to be sent the routes of a family again. */
  refresh(family: RouteFamily): void {
    this.#rib.refresh(family)
  }

  withdrawAll(): void {
    this.#rib.withdrawAll()
  }

  /** The next piece of what the peer is to be told; undefined when there is nothing to say. */
  next(): Uint8Array | undefined {
    return this.#held ? undefined : this.#rib.next()
  }

  /** To say that we are done before it is known what there is to announce would make the peer drop what it has kept for us. */
  get #held(): boolean {
    return this.#terms?.restarting === true && !this.#declared
  }

  #failure(text: string): CarillonError {
    const { family } = readPrefix(text)
    const hop = this.#terms?.nextHops[family]
    if (!hop)
      return new CarillonError(
        'FAMILY_NOT_CARRIED',
        `the session does not carry ${names[family]} routes: activate that family on both sides (dualStackAddressFamily)`,
        { family },
      )
    if ('missing' in hop) return new CarillonError('NO_NEXT_HOP', hop.missing, { family })
    return new CarillonError(
      'ROUTE_TOO_LARGE',
      'its attributes do not fit a message: give it fewer communities',
      {
        family,
      },
    )
  }
}
