import type { AddressRow, BeatEvent, Parts, PartsEvent, RowsEvent } from '../api.ts'
import { type ShownAddress, shownAddress } from './shown-address.ts'

/** How the page is connected. `lost`: what is shown is as it was at `at`. */
export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  | { readonly state: 'lost'; readonly at: number }

/** All that the page knows. Tells its readers that something is different, not what. */
export class Store {
  readonly #addresses = new Map<string, ShownAddress>()
  readonly #readers = new Set<() => void>()
  #parts: Parts | undefined
  #connection: Connection = { state: 'connecting' }
  #expected = 0
  #version = 0
  #skewMs = 0

  /** Undefined before anything was heard. */
  get parts(): Parts | undefined {
    return this.#parts
  }

  get connection(): Connection {
    return this.#connection
  }

  get addresses(): ReadonlyMap<string, ShownAddress> {
    return this.#addresses
  }

  /** One more with every change of an address. */
  get version(): number {
    return this.#version
  }

  /** Whether the first listing is still arriving. */
  get loading(): boolean {
    return this.#parts === undefined || this.#addresses.size < this.#expected
  }

  /** The time at the speaker; while the connection is lost, that of the loss: what is shown grows no older than it is known to be. */
  now(): number {
    return (this.#connection.state === 'lost' ? this.#connection.at : Date.now()) + this.#skewMs
  }

  /** Calls `reader` whenever something is different. Gives what ends it. */
  read(reader: () => void): () => void {
    this.#readers.add(reader)
    return () => this.#readers.delete(reader)
  }

  takeParts(event: PartsEvent): void {
    this.#parts = { ...this.#parts, ...event } as Parts
    this.#tell()
  }

  takeRows({ rows, gone, reset, total }: RowsEvent): void {
    const before = reset ? new Map(this.#addresses) : this.#addresses
    if (reset) this.#addresses.clear()
    this.#expected = total ?? 0
    for (const row of rows) this.#take(row, before)
    for (const address of gone) this.#addresses.delete(address)
    this.#version++
    this.#tell()
  }

  #take(row: AddressRow, before: ReadonlyMap<string, ShownAddress>): void {
    this.#addresses.set(row.address, shownAddress(row, before.get(row.address), Date.now()))
  }

  takeBeat({ now }: BeatEvent): void {
    this.#skewMs = Date.parse(now) - Date.now()
  }

  /** There is a connection, or none any more. */
  connected(live: boolean): void {
    if (live) this.#connection = { state: 'live' }
    else if (this.#connection.state === 'live') this.#connection = { state: 'lost', at: Date.now() }
    else return
    this.#tell()
  }

  /** Tells the readers that something else has changed that they show. */
  touch(): void {
    this.#tell()
  }

  #tell(): void {
    for (const reader of this.#readers) reader()
  }
}
