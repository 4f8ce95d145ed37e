import { formatAddress } from '@carillon/core'
import { expect, test } from 'vitest'
import {
  type Attributes,
  afis,
  type Dialect,
  decodeMessage,
  encodeMessage,
  endOfRib,
  endOfRibFamily,
  Framer,
  type Message,
  type Prefix,
  type RouteFamily,
} from '../wire/index.ts'

/** The rules of a table that a peer keeps, as far as the tests of this folder need a peer. */
export class PeerModel {
  readonly #dialect: Dialect
  readonly #framer: Framer
  /** What it holds: prefix -> its attributes, as text. */
  readonly table = new Map<string, string>()
  /** Everything but routes, in words and in order. */
  readonly markers: string[] = []
  /** Octets of each UPDATE that carries routes. */
  readonly updates: number[] = []
  /** How often each prefix was named, announced or withdrawn. */
  readonly named = new Map<string, number>()
  /** How many routes of a family it held when the End-of-RIB came. */
  readonly initial = new Map<RouteFamily, number>()
  #lossy = false
  /** Of a refresh that is under way: what was not announced again yet. */
  readonly #stale = new Map<RouteFamily, Set<string>>()

  constructor(dialect: Dialect) {
    this.#dialect = dialect
    this.#framer = new Framer(dialect.extendedMessage)
  }

  read(piece: Uint8Array | undefined): void {
    if (piece === undefined) return
    this.#framer.push(piece)
    for (let bytes = this.#framer.next(); bytes !== undefined; bytes = this.#framer.next()) {
      const { message, faults } = decodeMessage(bytes, this.#dialect)
      expect(faults).toEqual([])
      this.#take(message, bytes.length)
    }
    expect(this.#framer.pending).toBe(0)
  }

  /** Loses what it holds of a family, which is why it asks for a refresh. */
  forget(family: RouteFamily): void {
    this.#lossy = true
    for (const prefix of this.#of(family)) this.table.delete(prefix)
  }

  #of(family: RouteFamily): readonly string[] {
    return [...this.table.keys()].filter(prefix => prefix.includes(':') === (family === 'ipv6'))
  }

  #take(message: Message, length: number): void {
    if (message.type === 'routeRefresh') {
      const family = message.afi === afis.ipv4 ? 'ipv4' : 'ipv6'
      this.markers.push(`${family} ${message.subtype}`)
      if (message.subtype === 'begin') this.#stale.set(family, new Set(this.#of(family)))
      // RFC 7313 section 4: what was not said between is gone.
      else for (const prefix of this.#stale.get(family) ?? []) this.table.delete(prefix)
      return
    }
    if (message.type !== 'update') throw new Error(`a peer is sent no ${message.type}`)
    const family = endOfRibFamily(message)
    if (family !== undefined) {
      this.markers.push(`${family} endOfRib`)
      this.initial.set(family, this.#of(family).length)
      return
    }
    this.updates.push(length)
    const { mpReach, mpUnreach, nextHop, ...others } = message.attributes
    for (const prefix of [...message.withdrawn, ...(mpUnreach?.prefixes ?? [])]) {
      const held = this.table.delete(this.#name(prefix))
      expect(held || this.#lossy).toBe(true)
    }
    const hops = mpReach?.nextHops ?? (nextHop === undefined ? [] : [nextHop])
    const attributes = describeAttributes(others, hops)
    for (const prefix of [...message.announced, ...(mpReach?.prefixes ?? [])])
      this.table.set(this.#name(prefix), attributes)
  }

  #name({ address, length }: Prefix): string {
    const text = `${formatAddress(address)}/${length}`
    this.named.set(text, (this.named.get(text) ?? 0) + 1)
    this.#stale.get(address.length === 4 ? 'ipv4' : 'ipv6')?.delete(text)
    return text
  }
}

/** What a table holds of a route. */
export function describeAttributes(attributes: Attributes, nextHops: readonly Uint8Array[]): string {
  return JSON.stringify(
    { ...attributes, nextHops: nextHops.map(formatAddress) },
    Object.keys({ ...attributes, nextHops: 0 }).sort(),
  )
}

test('the model of a peer refuses to lose what it does not hold', () => {
  const dialect = { fourOctetAs: true, extendedMessage: false }
  const peer = new PeerModel(dialect)
  peer.read(encodeMessage(endOfRib('ipv6'), dialect))
  expect(peer.markers).toEqual(['ipv6 endOfRib'])
  const withdrawn = [{ address: Uint8Array.of(10, 0, 0, 0), length: 8 }]
  expect(() =>
    peer.read(encodeMessage({ type: 'update', withdrawn, attributes: {}, announced: [] }, dialect)),
  ).toThrow()
})
