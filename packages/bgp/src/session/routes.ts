import { familyOf, type Link } from '@carillon/core'
import type { Negotiated } from '../fsm/negotiated.ts'
import { type NextHop, nextHopOf } from '../local/next-hop.ts'
import { afis, type Dialect, encodeMessage, endOfRib, safis } from '../wire/index.ts'
import type { Attributes, Prefix, RouteFamily, RouteRefreshMessage, UpdateMessage } from '../wire/message.ts'
import { readCommunities, readPrefix } from './read-route.ts'
import type { BgpRoute } from './route.ts'
import type { SessionStatus } from './status.ts'

export interface Terms {
  readonly negotiated: Negotiated
  readonly dialect: Dialect
  readonly local: string
}

export class RouteFeed {
  readonly #localAs: number
  readonly #links: () => readonly Link[]
  #desired = new Map<string, { route: BgpRoute; prefix: Prefix; family: RouteFamily }>()
  #sent = new Map<string, BgpRoute>()
  #queue = new Set<string>()
  #eor: RouteFamily[] = []
  #terms: Terms | undefined

  constructor(localAs: number, links: () => readonly Link[]) {
    this.#localAs = localAs
    this.#links = links
  }

  set(routes: readonly BgpRoute[]): void {
    const next = new Map<string, { route: BgpRoute; prefix: Prefix; family: RouteFamily }>()
    for (const route of routes) {
      const prefix = readPrefix(route.prefix)
      next.set(route.prefix, { route, prefix, family: prefix.address.length === 4 ? 'ipv4' : 'ipv6' })
    }
    for (const key of this.#desired.keys()) if (!next.has(key)) this.#queue.add(key)
    for (const [key, { route }] of next) if (this.#sent.get(key) !== route) this.#queue.add(key)
    this.#desired = next
  }

  get pending(): number {
    return this.#terms ? this.#queue.size + this.#eor.length : this.#desired.size
  }

  count(): SessionStatus['routes'] {
    return { desired: this.#desired.size, announced: this.#sent.size, pending: this.pending, failed: 0 }
  }

  open(terms: Terms): void {
    this.#terms = terms
    this.#sent.clear()
    this.#queue = new Set(this.#desired.keys())
    this.#eor = [...terms.negotiated.families]
  }

  close(): void {
    this.#terms = undefined
    this.#sent.clear()
  }

  relink(): void {}

  refresh(_message: RouteRefreshMessage): void {
    for (const key of this.#desired.keys()) this.#queue.add(key)
  }

  withdrawAll(): void {
    this.#desired = new Map()
    this.#queue = new Set(this.#sent.keys())
  }

  next(): Uint8Array | undefined {
    const terms = this.#terms
    if (!terms) return undefined
    for (const key of this.#queue) {
      this.#queue.delete(key)
      const one = this.#desired.get(key)
      const message = one ? this.#say(one, terms) : this.#withdraw(key)
      if (one) this.#sent.set(key, one.route)
      else if (!this.#sent.delete(key)) continue
      if (message) return encodeMessage(message, terms.dialect)
    }
    const family = this.#eor.shift()
    return family && encodeMessage(endOfRib(family), terms.dialect)
  }

  #say(
    { route, prefix, family }: { route: BgpRoute; prefix: Prefix; family: RouteFamily },
    { negotiated, local }: Terms,
  ): UpdateMessage | undefined {
    if (!negotiated.families.includes(family)) return undefined
    const hop: NextHop = nextHopOf(family, {
      local,
      links: this.#links(),
      extendedNextHop: negotiated.extendedNextHop,
    })
    if ('missing' in hop) return undefined
    const { plain, large } = readCommunities(route.communities ?? [], route.prefix)
    const common: Attributes = {
      origin: 'igp',
      asPath: negotiated.internal ? [] : [{ type: 'sequence', as: [this.#localAs] }],
      ...(negotiated.internal && { localPref: route.localPref || 100 }),
      ...(plain.length > 0 && { communities: plain }),
      ...(large.length > 0 && { largeCommunities: large }),
    }
    if (family === 'ipv4' && familyOf(hop.address) === 4)
      return {
        type: 'update',
        withdrawn: [],
        attributes: { ...common, nextHop: hop.address },
        announced: [prefix],
      }
    const mpReach = { afi: afis[family], safi: safis.unicast, nextHops: [hop.address], prefixes: [prefix] }
    return { type: 'update', withdrawn: [], attributes: { ...common, mpReach }, announced: [] }
  }

  #withdraw(key: string): UpdateMessage {
    const prefix = readPrefix(key)
    if (prefix.address.length === 4)
      return { type: 'update', withdrawn: [prefix], attributes: {}, announced: [] }
    const mpUnreach = { afi: afis.ipv6, safi: safis.unicast, prefixes: [prefix] }
    return { type: 'update', withdrawn: [], attributes: { mpUnreach }, announced: [] }
  }
}
