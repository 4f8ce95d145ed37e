import { meaningOf, type Speaker, type SpeakerEvent } from '@carillon/core'
import type { TimelineEntry } from '@carillon/web'

type Open = { -readonly [Key in keyof TimelineEntry]: TimelineEntry[Key] } & {
  readonly counts: Map<string, number>
}

/** Moves within such a time in milliseconds, away from the same node for the same reason, are one entry. */
const togetherMs = 2000

/** How many of the last entries a move may still belong to. */
const lookBack = 8

/** Addresses that an entry names. */
const mostAddresses = 12

/** The addresses of an entry, with another one where it names few. */
function more(addresses: readonly string[] | undefined, address: string | undefined): readonly string[] {
  if (addresses === undefined) return address === undefined ? [] : [address]
  if (address === undefined || addresses.length >= mostAddresses || addresses.includes(address))
    return addresses
  return [...addresses, address]
}

/** Stands for no node. */
const nobody = ''

/** Why addresses moved, in words. */
function cause({ from, to, because, gapMs }: SpeakerEvent): string {
  if (from === undefined) return 'found an owner'
  if (because === undefined) return to === undefined ? `${from} gave up what is no more` : `${from} gave up`
  if (because === 'notAlive') {
    if (gapMs === 0) return `${from} left, and handed over`
    return gapMs === undefined ? `${from} is gone` : `${from} died`
  }
  if (because === 'notOwner') return `another node comes before ${from}`
  return `${from} may not speak: ${meaningOf(because, 'layer2').sentence}`
}

/** What happened lately, for people: thousands of addresses that move at once are one entry, and events that repeat are not told twice. */
export class Timeline {
  readonly #entries: Open[] = []
  readonly #capacity: number
  #next = 1

  /** @param capacity how many entries are kept */
  constructor(capacity = 120) {
    this.#capacity = capacity
  }

  /** What happens to a speaker from now on, for as long as it lives. */
  static of({ events }: Speaker): Timeline {
    const timeline = new Timeline()
    events.on('speaker:event', event => timeline.add(event))
    return timeline
  }

  add(event: SpeakerEvent): void {
    if (event.type === 'ownerChanged') this.#move(event)
    else this.#note(event)
    if (this.#entries.length > this.#capacity) this.#entries.shift()
  }

  /** Newest first. */
  list(): readonly TimelineEntry[] {
    return this.#entries
      .map(({ counts, ...entry }) => ({
        ...entry,
        ...(counts.size === 0
          ? {}
          : {
              to: [...counts]
                .map(([node, count]) => ({ ...(node === nobody ? {} : { node }), count }))
                .sort((a, b) => b.count - a.count),
            }),
      }))
      .reverse()
  }

  #recent(at: string, suits: (entry: Open) => boolean): Open | undefined {
    const from = Date.parse(at) - togetherMs
    return this.#entries.slice(-lookBack).findLast(entry => Date.parse(entry.at) >= from && suits(entry))
  }

  #move(event: SpeakerEvent): void {
    const { at, from, to = nobody, because, address, gapMs } = event
    const message = cause(event)
    let entry = this.#recent(at, one => one.type === 'moved' && one.from === from && one.message === message)
    if (!entry) {
      entry = {
        id: this.#next++,
        at,
        type: 'moved',
        message,
        count: 0,
        addresses: [],
        counts: new Map(),
        ...(from === undefined ? {} : { from }),
        ...(because === undefined ? {} : { because }),
      }
      this.#entries.push(entry)
    }
    entry.count = (entry.count ?? 0) + 1
    entry.counts.set(to, (entry.counts.get(to) ?? 0) + 1)
    // The longest wait is what somebody noticed.
    if (gapMs !== undefined) entry.gapMs = Math.max(entry.gapMs ?? 0, gapMs)
    entry.addresses = more(entry.addresses, address)
  }

  #note({ at, type, message, address }: SpeakerEvent): void {
    // What befalls many addresses at once is told of the first of them.
    const alike = (one: Open): boolean =>
      one.message === message || (address !== undefined && one.addresses !== undefined)
    const same = this.#recent(at, one => one.type === type && alike(one))
    if (same) {
      same.count = (same.count ?? 1) + 1
      if (address !== undefined) same.addresses = more(same.addresses, address)
      return
    }
    this.#entries.push({
      id: this.#next++,
      at,
      type,
      message,
      counts: new Map(),
      ...(address === undefined ? {} : { addresses: [address] }),
    })
  }
}
