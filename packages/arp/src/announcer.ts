import {
  type AddressBytes,
  type Advertisement,
  type AnnouncementStatus,
  type Announcer,
  type AnnouncerContext,
  type AnnouncerEvents,
  CarillonError,
  type Family,
  familyOf,
  formatMac,
  type Link,
  type Links,
  type Logger,
  tryParseAddress,
} from '@carillon/core'
import { EventEmitter } from 'eventemitter3'
import { ConflictWatch } from './conflicts.ts'
import { Counters } from './counters.ts'
import { type Layer2Settings, readInterfaces } from './options.ts'
import { OwnedAddress } from './owned.ts'
import { type Placement, Port, type PortWorld } from './port.ts'
import type { Protocol } from './protocol.ts'
import { Schedule } from './schedule.ts'

// Announcements leave in bursts that a socket's send buffer holds: 64 addresses are at most 128 frames.
const BURST = 64
const BURST_EVERY_MS = 5

/** Interfaces that an error names before it only counts them. */
const NAMED_INTERFACES = 8

interface Desired {
  readonly advertisement: Advertisement
  /** Absent when it cannot be announced at all; `refusal` says why. */
  readonly owned: OwnedAddress | undefined
  readonly refusal: CarillonError | undefined
  /** As last told; absent until then. */
  status: AnnouncementStatus | undefined
}

/** The announcer of both ARP and NDP: keeps interfaces, addresses, answers and announcements in step. */
export class Layer2Announcer implements Announcer {
  readonly name: string
  readonly speakers = 'one' as const
  readonly families: readonly Family[]
  readonly events: EventEmitter<AnnouncerEvents> = new EventEmitter<AnnouncerEvents>()
  readonly #protocol: Protocol
  readonly #settings: Layer2Settings
  readonly #context: AnnouncerContext
  readonly #log: Logger
  readonly #counters: Counters
  readonly #conflicts: ConflictWatch
  readonly #schedule: Schedule<Placement>
  readonly #ports = new Map<number, Port>()
  readonly #portWorld: PortWorld
  #desired = new Map<string, Desired>()
  #links: Links | undefined
  /** Present interfaces that cannot be used, and why. */
  #unusable = new Map<string, string>()
  /** The same as text, made when first needed. */
  #obstacles: readonly string[] | undefined
  #ownMacs = new Set<number>()
  #starting: Promise<void> | undefined
  #disposed = false
  #retired = false
  #cancelTimer: (() => void) | undefined
  #burstStart = Number.NEGATIVE_INFINITY
  #burstUsed = 0

  constructor(protocol: Protocol, settings: Layer2Settings, context: AnnouncerContext) {
    this.name = protocol.name
    this.families = [protocol.family]
    this.#protocol = protocol
    this.#settings = settings
    this.#context = context
    this.#log = context.log.child({ component: protocol.name })
    this.#counters = new Counters(protocol.name, context.metrics, context.clock)
    this.#schedule = new Schedule({
      rounds: settings.rounds,
      intervalMs: settings.roundIntervalMs,
      refreshMs: settings.refreshMs,
    })
    this.#conflicts = new ConflictWatch(context.clock, settings.conflictGraceMs, {
      reported: (owned, conflict) => {
        this.#log.warn(conflict, 'another station uses an address that this node announces')
        if (settings.defend && !this.#retired) {
          for (const port of this.#ports.values())
            if (port.link.name === conflict.interface) port.announce(owned)
        }
        this.#refresh([owned.text])
        this.events.emit('address:conflict', conflict)
      },
      over: owned => this.#refresh([owned.text]),
    })
    this.#portWorld = {
      protocol,
      network: context.network,
      clock: context.clock,
      log: this.#log,
      counters: this.#counters,
      isOwnMac: (frame, at) => this.#ownMacs.has(macNumber(frame, at)),
      claimed: (port, owned, frame, at) => {
        owned.conflicts++
        this.#counters.count(owned)
        // That is the next owner, as it should be.
        if (this.#retired) return
        this.#conflicts.claim(owned, port.link.name, () => formatMac(frame.subarray(at, at + 6)))
      },
      changed: port => {
        if (port.state === 'open') this.#takeOver(port.placements.values())
        this.#refresh(addressesOn(port))
      },
    }
  }

  /** Opens what can be opened; resolves when every usable interface is open or has failed. Rejects when links cannot be watched. */
  start(): Promise<void> {
    this.#starting ??= this.#start()
    return this.#starting
  }

  async #start(): Promise<void> {
    if (this.#disposed) return
    const links = await this.#context.network.links()
    if (this.#disposed) return links[Symbol.asyncDispose]()
    this.#links = links
    links.changed(present => void this.#follow(present))
    await this.#follow(links.current())
  }

  announce(desired: readonly Advertisement[]): void {
    if (this.#disposed) return
    const before = this.#desired
    const after = new Map<string, Desired>()
    const touched = new Set<Port>()
    const fresh: Placement[] = []
    const affected: string[] = []
    for (const advertisement of desired) {
      const { address } = advertisement
      if (after.has(address)) continue
      const known = before.get(address)
      if (known && sameChoice(known.advertisement, advertisement)) {
        after.set(address, known)
        continue
      }
      after.set(address, this.#read(advertisement, known))
      affected.push(address)
    }
    this.#desired = after
    for (const [address, { owned }] of before) {
      if (!owned || after.get(address)?.owned === owned) continue
      this.#conflicts.release(owned)
      for (const port of this.#ports.values()) this.#displace(port, owned, touched)
    }
    for (const address of affected) {
      const owned = after.get(address)?.owned
      if (!owned) continue
      for (const port of this.#ports.values()) {
        if (!allows(owned, port)) this.#displace(port, owned, touched)
        else if (!port.placements.has(owned)) {
          fresh.push(port.add(owned))
          touched.add(port)
        }
      }
    }
    for (const port of touched) port.commit()
    this.#takeOver(fresh)
    for (const port of touched) port.joinGroups()
    this.#refresh(affected)
  }

  retire(): void {
    this.#retired = true
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  status(): readonly AnnouncementStatus[] {
    return Array.from(this.#desired.values(), one => one.status ?? this.#describe(one))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true
    this.#cancelTimer?.()
    for (const { owned } of this.#desired.values()) if (owned) this.#conflicts.release(owned)
    for (const port of this.#ports.values()) port.close()
    this.#ports.clear()
    this.#counters.flush()
    const links = this.#links
    this.#links = undefined
    await links?.[Symbol.asyncDispose]()
  }

  /** Turns an advertisement into an address to own, or a refusal; `known` is what it continues. */
  #read(advertisement: Advertisement, known: Desired | undefined): Desired {
    const { address } = advertisement
    const status = known?.status
    const refuse = (code: string, why: string): Desired => {
      const refusal = new CarillonError(code, `${address} cannot be announced by ${this.name}: ${why}`, {
        address,
      })
      return { advertisement, owned: undefined, refusal, status }
    }
    const bytes = tryParseAddress(address)
    if (!bytes) return refuse('NOT_ANNOUNCEABLE', 'it is not an IP address')
    if (familyOf(bytes) !== this.#protocol.family)
      return refuse('NOT_ANNOUNCEABLE', 'it is of the other address family')
    if (!isUnicast(bytes)) return refuse('NOT_ANNOUNCEABLE', 'it is not the address of a single station')
    const interfaces = readInterfaces(advertisement.options.interfaces)
    if (!interfaces) return refuse('BAD_OPTIONS', "options.interfaces must be 'all' or a list of names")
    const owned = known?.owned ?? new OwnedAddress(address, interfaces)
    owned.interfaces = interfaces
    return { advertisement, owned, refusal: undefined, status }
  }

  #displace(port: Port, owned: OwnedAddress, touched: Set<Port>): void {
    const placement = port.remove(owned)
    if (!placement) return
    this.#schedule.cancel(placement)
    touched.add(port)
  }

  /** Brings the ports in line with the interfaces. Resolves when those that are new are open or have failed. */
  async #follow(links: readonly Link[]): Promise<void> {
    if (this.#disposed) return
    const before = this.#speaking()
    this.#ownMacs = new Set(links.filter(link => link.mac.length === 6).map(link => macNumber(link.mac, 0)))
    this.#unusable = new Map()
    this.#obstacles = undefined
    const usable = new Map<number, Link>()
    for (const link of links) {
      const why = this.#protocol.unusable(link, this.#settings)
      if (why === undefined) usable.set(link.index, link)
      else this.#unusable.set(link.name, why)
    }
    for (const [index, port] of this.#ports) {
      // A new name may be excluded, or meant by other advertisements: as good as another interface.
      if (usable.get(index)?.name === port.link.name) continue
      port.close()
      for (const placement of port.placements.values()) this.#schedule.cancel(placement)
      this.#ports.delete(index)
      this.#log.debug({ interface: port.link.name }, 'no longer speaking on this interface')
    }
    const opening: Promise<void>[] = []
    for (const [index, link] of usable) {
      const port = this.#ports.get(index)
      if (port) {
        if (port.update(link)) this.#takeOver(port.placements.values())
        continue
      }
      const added = new Port(this.#portWorld, link)
      this.#ports.set(index, added)
      for (const { owned } of this.#desired.values()) if (owned && allows(owned, added)) added.add(owned)
      opening.push(added.open())
    }
    // Where many containers come and go, most changes concern nothing that is announced.
    if (this.#speaking() === before) this.#refresh(this.#unannounced())
    else this.#refresh(this.#desired.keys())
    await Promise.all(opening)
  }

  /** Which interfaces exist for us and get frames through, to be compared. */
  #speaking(): string {
    return Array.from(this.#ports.values(), port => `${port.link.name} ${port.speaking}`).join()
  }

  *#unannounced(): Generator<string> {
    for (const [address, { status }] of this.#desired) if (status?.state !== 'announced') yield address
  }

  /** Announces at once, and then as the schedule says. */
  #takeOver(placements: Iterable<Placement>): void {
    const now = this.#context.clock.now()
    for (const placement of placements) if (placement.port.speaking) this.#schedule.trigger(placement, now)
    this.#speak()
  }

  #speak(): void {
    if (this.#retired) return
    const now = this.#context.clock.now()
    if (now - this.#burstStart >= BURST_EVERY_MS) {
      this.#burstStart = now
      this.#burstUsed = 0
    }
    const due = this.#schedule.take(now, BURST - this.#burstUsed)
    this.#burstUsed += due.length
    for (const { port, owned } of due) port.announce(owned)
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
    const next = this.#schedule.next()
    if (next === undefined) return
    const at = next <= now ? this.#burstStart + BURST_EVERY_MS : next
    this.#cancelTimer = this.#context.clock.after(at - now, () => this.#speak())
  }

  /** Works out the status of these addresses anew, and tells of those that changed. */
  #refresh(addresses: Iterable<string>): void {
    if (this.#disposed) return
    const changed: AnnouncementStatus[] = []
    for (const address of addresses) {
      const desired = this.#desired.get(address)
      if (!desired) continue
      const status = this.#describe(desired)
      const known = desired.status
      desired.status = status
      if (!known || !sameStatus(known, status)) changed.push(status)
    }
    // Last, when all is settled: a listener may call back, or throw.
    for (const status of changed) this.events.emit('announcement:changed', status)
  }

  #describe({ advertisement, owned, refusal }: Desired): AnnouncementStatus {
    const { address } = advertisement
    if (refusal) return { address, state: 'failed', via: [], error: refusal }
    if (!owned || !this.#links) return { address, state: 'pending', via: [] }
    const ports = [...this.#ports.values()].filter(port => port.placements.has(owned))
    const via = ports.filter(port => port.speaking).map(port => port.link.name)
    const failure = ports.find(port => port.error)?.error
    if (via.length > 0) {
      const error = this.#conflictError(owned) ?? failure
      return { address, state: 'announced', via: via.sort(), ...(error ? { error } : {}) }
    }
    if (failure) return { address, state: 'failed', via: [], error: failure }
    const silent = ports.filter(port => port.state === 'open').map(port => `${port.link.name} has no carrier`)
    if (ports.length > 0) {
      return {
        address,
        state: 'pending',
        via: [],
        ...(silent.length > 0 ? { error: noInterface(address, silent) } : {}),
      }
    }
    return { address, state: 'failed', via: [], error: noInterface(address, this.#hindrances(owned)) }
  }

  #conflictError(owned: OwnedAddress): CarillonError | undefined {
    const conflict = this.#conflicts.of(owned)
    if (!conflict) return undefined
    const { address, mac } = conflict
    return new CarillonError(
      'ADDRESS_CONFLICT',
      `${mac} on ${conflict.interface} uses ${address} too: take the address from that station, or out of the pool`,
      { address, mac, interface: conflict.interface },
    )
  }

  /** Why each interface that the address asks for cannot carry it. */
  #hindrances({ interfaces }: OwnedAddress): readonly string[] {
    if (interfaces !== 'all') {
      return [...interfaces].sort().map(name => `${name} ${this.#unusable.get(name) ?? 'does not exist'}`)
    }
    // First those that nobody excluded: someone may want to mend them.
    const excluded = (why: string): number => (why.startsWith('is excluded') ? 1 : 0)
    this.#obstacles ??= [...this.#unusable]
      .sort(([a, x], [b, y]) => excluded(x) - excluded(y) || (a < b ? -1 : 1))
      .map(([name, why]) => `${name} ${why}`)
    return this.#obstacles
  }
}

function* addressesOn(port: Port): Generator<string> {
  for (const owned of port.placements.keys()) yield owned.text
}

function allows(owned: OwnedAddress, port: Port): boolean {
  return owned.interfaces === 'all' || owned.interfaces.has(port.link.name)
}

function macNumber(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 16) | ((bytes[at + 1] as number) << 8) | (bytes[at + 2] as number)
  const low = ((bytes[at + 3] as number) << 16) | ((bytes[at + 4] as number) << 8) | (bytes[at + 5] as number)
  return high * 2 ** 24 + low
}

/** Neither multicast, broadcast, unspecified, loopback nor "this network". */
function isUnicast(bytes: AddressBytes): boolean {
  const first = bytes[0] as number
  if (bytes.length === 4)
    return first !== 0 && first !== 127 && (first < 224 || (first >= 240 && bytes.some(b => b !== 255)))
  return first !== 0xff && bytes.subarray(0, 15).some(byte => byte !== 0)
}

function sameChoice(a: Advertisement, b: Advertisement): boolean {
  if (a === b) return true
  const x = a.options.interfaces
  const y = b.options.interfaces
  if (Array.isArray(x) && Array.isArray(y))
    return x.length === y.length && x.every((name, i) => name === y[i])
  return x === y
}

function sameStatus(a: AnnouncementStatus, b: AnnouncementStatus): boolean {
  return (
    a.state === b.state &&
    a.via.length === b.via.length &&
    a.via.every((name, i) => name === b.via[i]) &&
    a.error?.code === b.error?.code &&
    a.error?.message === b.error?.message
  )
}

function noInterface(address: string, why: readonly string[]): CarillonError {
  const named = why.slice(0, NAMED_INTERFACES)
  if (why.length > named.length) named.push(`${why.length - named.length} more`)
  const reasons = named.length > 0 ? named.join(', ') : 'there is none'
  return new CarillonError('NO_INTERFACE', `no interface of this node can carry ${address}: ${reasons}`, {
    address,
  })
}
