import type { Clock, MembershipStanding } from '@carillon/core'
import { living, type MemberRecord } from './member-record.ts'
import type { Prober } from './prober.ts'
import type { WatchSettings } from './profile.ts'
import { Ring } from './ring.ts'
import type { Swim } from './swim.ts'
import { type Dead, encodeMessage, NO_BYTES, type Suspect } from './wire/index.ts'

/** A member that we watch. */
interface Target {
  readonly name: string
  /** The last sign of life. */
  heard: number
  /** Until then silence is not held against it: it has just started. */
  newUntil: number
  /** Until then it is left in peace, because it answers over TCP, though no datagram comes through. */
  streamUntil: number
  asked: number
  askedOthers: number
  streamTried: boolean
  /** How often it answered over TCP since its last datagram. */
  streamAnswers: number
  accused: boolean
  /** When we last said so. */
  accusedAt: number
}

/** Milliseconds without a sign of life that count. */
const silenceOf = ({ heard, newUntil, streamUntil }: Target, now: number): number =>
  now - Math.max(heard, newUntil, streamUntil)

/** A process that has just started is busy with that, and may be slow to answer for so many milliseconds. */
const newcomerMs = 1000

/** What one member says of another. */
interface Accusation {
  readonly at: number
  readonly incarnation: number
}

/** Targets at most, where few members watch and many are to be watched. */
const mostTargets = 8

/** From one word to the dead to the next: should they live after all, they object. */
const remindMs = 300

/** How long to leave a member in peace that answers over TCP alone; memberlist's own probes look after it meanwhile. */
const streamOnlyMs = 1000

/** From one accusation to the next by the same watcher, while nothing is heard. */
const accuseAgainMs = 100

/** How long an accusation counts. */
const accusationMs = 2000

/**
 * Close watch, beside memberlist's own probes and with none but its messages: every member is pinged some twenty times a second by a few
 * others; when it falls silent they ask on every path at once, and when that brings nothing either they accuse it to each other. Two that
 * agree make a death, which is told at once to everyone. See docs/decisions for how the figures were found.
 */
export class Watcher {
  readonly #swim: Swim
  readonly #prober: Prober
  readonly #clock: Clock
  readonly #settings: WatchSettings
  readonly #standingChanged: (standing: MembershipStanding) => void
  readonly #confirm: () => Promise<'confirmed' | 'refuted' | 'unheard'>
  readonly #targets = new Map<string, Target>()
  /** Who accuses a member, and when that was said. */
  readonly #accusers = new Map<string, Map<string, Accusation>>()
  #watchersOf: (name: string) => readonly string[] = () => []
  #stale = true
  #ticked = 0
  #startedAt = 0
  #heardAnyone = 0
  #hadCompany = false
  #reminded = 0
  #cutOff = false
  #standing: MembershipStanding = 'confirmed'
  #confirming = false
  #cancel: (() => void) | undefined

  /**
   * @param clock the real one, which shows when this process was held up
   * @param confirm asks others whether they count us as living; `refuted`: they did not, and have been told otherwise
   */
  constructor(
    swim: Swim,
    prober: Prober,
    clock: Clock,
    settings: WatchSettings,
    standingChanged: (standing: MembershipStanding) => void,
    confirm: () => Promise<'confirmed' | 'refuted' | 'unheard'>,
  ) {
    this.#swim = swim
    this.#prober = prober
    this.#clock = clock
    this.#settings = settings
    this.#standingChanged = standingChanged
    this.#confirm = confirm
  }

  get standing(): MembershipStanding {
    return this.#standing
  }

  start(): void {
    this.#ticked = this.#now()
    this.#heardAnyone = this.#ticked
    this.#startedAt = this.#ticked
    this.#arm()
  }

  stop(): void {
    this.#cancel?.()
  }

  #now(): number {
    return this.#clock.now()
  }

  #arm(): void {
    this.#cancel = this.#clock.after(this.#settings.retryMs, () => {
      this.#tick()
      this.#arm()
    })
  }

  /** Members came or went. */
  membersChanged(): void {
    this.#stale = true
  }

  /** A packet of a member arrived. */
  heard(record: MemberRecord): void {
    const now = this.#now()
    this.#heardAnyone = now
    const target = this.#targets.get(record.name)
    if (target) this.#alive(target, now)
    if (this.#standing === 'isolated') this.#rejoined()
  }

  #alive(target: Target, now: number): void {
    target.heard = now
    target.streamAnswers = 0
    target.askedOthers = 0
    target.streamTried = false
    target.streamUntil = 0
    if (target.accused) {
      target.accused = false
      this.#accusers.get(target.name)?.delete(this.#swim.name)
    }
  }

  /** Somebody accuses a member: whoever watches it looks at once. */
  accused({ node, from, incarnation }: Suspect): void {
    const now = this.#now()
    const record = this.#swim.members.get(node)
    // Only its watchers count, so that nobody can fill the memory with names.
    if (!record || !living(record) || !this.#watchersOf(node).includes(from)) return
    let accusers = this.#accusers.get(node)
    if (!accusers) {
      accusers = new Map()
      this.#accusers.set(node, accusers)
    }
    accusers.set(from, { at: now, incarnation })
    this.#judge(node, now)
  }

  /** How much longer a member counts as a newcomer. */
  #newcomerMs(name: string): number {
    const since = this.#swim.members.get(name)?.since ?? 0
    return Math.max(0, since + newcomerMs - this.#swim.options.clock.now())
  }

  /** Members that watch as we do show the same delegate versions, of which the highest is one above what they speak. */
  #watches({ vsn }: MemberRecord): boolean {
    const mine = this.#swim.options.vsn
    return vsn[3] === mine[3] && vsn[4] === mine[4]
  }

  #refresh(now: number): void {
    if (!this.#stale) return
    this.#stale = false
    const { name } = this.#swim
    const records = [...this.#swim.members.all()].filter(living)
    // Who watches is decided among those that are not accused themselves.
    const ring = new Ring(
      records
        .filter(record => record.name === name || (this.#watches(record) && record.liveness === 'alive'))
        .map(record => record.name),
      this.#settings.watchers,
    )
    const cache = new Map<string, readonly string[]>()
    this.#watchersOf = member => {
      let watchers = cache.get(member)
      if (!watchers) {
        watchers = ring.watchersOf(member)
        cache.set(member, watchers)
      }
      return watchers
    }
    const mine = records.filter(
      record => record.name !== name && this.#watchersOf(record.name).includes(name),
    )
    mine.sort((a, b) => this.#watchersOf(a.name).indexOf(name) - this.#watchersOf(b.name).indexOf(name))
    const wanted = new Set(mine.slice(0, mostTargets).map(record => record.name))
    for (const target of this.#targets.keys()) if (!wanted.has(target)) this.#targets.delete(target)
    for (const target of wanted) {
      if (this.#targets.has(target)) continue
      // Not all at once: questions to different members are spread over the interval.
      const asked = now - this.#swim.options.random() * this.#settings.intervalMs
      this.#targets.set(target, {
        name: target,
        heard: now,
        newUntil: now + this.#newcomerMs(target),
        streamUntil: 0,
        asked,
        askedOthers: 0,
        streamTried: false,
        streamAnswers: 0,
        accused: false,
        accusedAt: 0,
      })
    }
    for (const member of this.#accusers.keys()) {
      const record = this.#swim.members.get(member)
      if (!record || !living(record)) this.#accusers.delete(member)
    }
    if (records.length > 1) this.#hadCompany = true
    // What memberlist has to say it says in answers to pings, too; those we watch say it to us and to hardly anybody else. So we
    // pass it on in their stead.
    const quiet = records.filter(record => wanted.has(record.name) && !this.#watches(record))
    this.#swim.spread(1 + quiet.reduce((sum, { name: one }) => sum + 1 / this.#watchersOf(one).length, 0))
  }

  #tick(): void {
    const now = this.#now()
    const gap = now - this.#ticked
    this.#ticked = now
    const { retryMs, alarmMs, accuseMs, pauseMs } = this.#settings
    // Time in which this process did not run counts against nobody: what they sent meanwhile is still in the socket.
    const late = gap - retryMs
    if (late > retryMs) {
      for (const target of this.#targets.values()) target.heard = Math.min(now, target.heard + late)
      this.#heardAnyone = Math.min(now, this.#heardAnyone + late)
      // The others bear with a newcomer for a while, and its start is work.
      if (late >= pauseMs && now - this.#startedAt >= newcomerMs) this.#paused()
      return
    }
    this.#refresh(now)
    const silent = [...this.#targets.values()].filter(target => silenceOf(target, now) >= alarmMs)
    // All of them at once, and nobody else says so: it is more likely that we are cut off, one way or both.
    const unheard = now - this.#heardAnyone >= alarmMs
    const all = silent.length > 1 && silent.length === this.#targets.size
    const cutOff = all && (unheard || !silent.some(target => this.#accusedByOthers(target.name, now)))
    // Once connected again, the time in which nobody could be heard is held against nobody.
    if (this.#cutOff && !cutOff)
      for (const target of this.#targets.values()) target.newUntil = Math.max(target.newUntil, now)
    this.#cutOff = cutOff
    for (const target of this.#targets.values()) this.#attend(target, now, cutOff)
    if (now - this.#reminded >= remindMs) this.#remind(now)
    const alone =
      this.#hadCompany && now - this.#heardAnyone >= accuseMs && (cutOff || this.#swim.others().length === 0)
    if (alone && this.#standing === 'confirmed') this.#stand('isolated')
  }

  #accusedByOthers(name: string, now: number): boolean {
    for (const [from, { at }] of this.#accusers.get(name) ?? []) {
      if (from !== this.#swim.name && now - at <= accusationMs) return true
    }
    return false
  }

  /** Tells the dead that they are, so that one who was only cut off is back as soon as the path is. Its watchers do. */
  #remind(now: number): void {
    this.#reminded = now
    const { members, name } = this.#swim
    for (const record of members.all()) {
      if (record.liveness !== 'dead' || !this.#watchersOf(record.name).includes(name)) continue
      const message: Dead = { type: 'dead', incarnation: record.incarnation, node: record.name, from: name }
      this.#swim.sendBare(record, [encodeMessage(message)], record)
    }
  }

  #attend(target: Target, now: number, cutOff: boolean): void {
    const { intervalMs, alarmMs, retryMs, accuseMs } = this.#settings
    const silence = silenceOf(target, now)
    const record = this.#swim.members.get(target.name)
    if (!record) return
    const alarmed = silence >= alarmMs
    // Who has just been heard, because it watches us, need not be asked.
    const due = alarmed
      ? now - target.asked >= retryMs
      : Math.min(now - target.asked, now - target.heard) >= intervalMs
    if (due) {
      target.asked = now
      this.#ask(target, record)
    }
    if (!alarmed) return
    if (now - target.askedOthers >= 3 * retryMs) {
      target.askedOthers = now
      this.#askOthers(target, record)
    }
    // Where nobody at all is heard any more, it is more likely that we are cut off than that all of them died.
    if (silence < accuseMs || cutOff) return
    // Said again and again: what two of them say has to reach at least one of them.
    if (!target.accused || now - target.accusedAt >= accuseAgainMs) this.#accuse(target, record)
    this.#judge(target.name, now)
  }

  #ask(target: Target, record: MemberRecord): void {
    const seqNo = this.#prober.expect(this.#settings.accuseMs, () => this.#answered(target))
    const ping = encodeMessage(this.#prober.ping(record.name, seqNo))
    // Who still counts as suspect is told, so that it can object.
    const parts = record.liveness === 'suspect' ? [encodeMessage(this.#suspect(record)), ping] : [ping]
    this.#swim.sendBare(record, parts)
  }

  #answered(target: Target): void {
    const now = this.#now()
    this.#heardAnyone = now
    this.#alive(target, now)
    if (this.#standing === 'isolated') this.#rejoined()
  }

  #askOthers(target: Target, record: MemberRecord): void {
    const { settings, outlet } = this.#swim.options
    const seqNo = this.#prober.expect(this.#settings.accuseMs, () => this.#answered(target))
    for (const relay of this.#prober.relays(record, settings.indirectChecks))
      this.#prober.askThrough(relay, record, seqNo)
    if (target.streamTried || settings.disableTcpPings) return
    target.streamTried = true
    const number = this.#swim.nextSequence()
    void outlet
      .streamPing(record, this.#prober.ping(record.name, number), this.#settings.accuseMs)
      .then(answered => {
        if (!answered) return
        const answers = target.streamAnswers + 1
        this.#answered(target)
        target.streamAnswers = answers
        // Its datagrams do not come through, which is more than loss: asking for them over and over helps nobody.
        if (answers >= 3) target.streamUntil = this.#now() + streamOnlyMs
      })
  }

  #accuse(target: Target, record: MemberRecord): void {
    const message = this.#suspect(record)
    const bytes = encodeMessage(message)
    const watchers = this.#watchersOf(record.name)
    const again = target.accused
    target.accused = true
    target.accusedAt = this.#now()
    this.#swim.suspect(message)
    if (again) this.#tellThese(bytes, watchers)
    else this.#tellUrgently(bytes, record, watchers)
  }

  #suspect(record: MemberRecord): Suspect {
    const { name: node } = record
    return { type: 'suspect', incarnation: this.#incarnation(record), node, from: this.#swim.name }
  }

  /** The newest that we have heard of: another watcher may know of an objection that never reached us. */
  #incarnation({ name, incarnation }: MemberRecord): number {
    let newest = incarnation
    for (const said of this.#accusers.get(name)?.values() ?? []) newest = Math.max(newest, said.incarnation)
    return newest
  }

  /** Declares the death of a member that enough of its watchers accuse. */
  #judge(name: string, now: number): void {
    const accusers = this.#accusers.get(name)
    const target = this.#targets.get(name)
    const record = this.#swim.members.get(name)
    if (!accusers?.has(this.#swim.name) || !target?.accused || !record || !living(record)) return
    const watchers = this.#watchersOf(name)
    // What was said of it before it objected counts no more.
    const agreed = watchers.filter(watcher => {
      const said = accusers.get(watcher)
      return said && now - said.at <= accusationMs && said.incarnation >= record.incarnation
    })
    const enough = Math.min(2, watchers.length)
    const alone = watchers.length < 2
    if (agreed.length < enough) return
    if (alone && silenceOf(target, now) < this.#settings.accuseMs + this.#settings.aloneMs) return
    const incarnation = this.#incarnation(record)
    const message: Dead = { type: 'dead', incarnation, node: name, from: this.#swim.name }
    if (this.#swim.dead(message)) this.#tellUrgently(encodeMessage(message), record, [])
  }

  /** A death that we were told of: in a large cluster it is passed on at once, and not at the next tick. */
  passOn(message: Dead): void {
    const record = this.#swim.members.get(message.node)
    if (record && this.#swim.members.size > this.#settings.tellAllUpTo)
      this.#tellSome(encodeMessage(message), 4)
  }

  /** We objected to a rumour about us, or have just met the others: everybody is to know of us at once. */
  tellOfUs(): void {
    const { name: node, addr, port, meta, incarnation, vsn } = this.#swim.self
    const bytes = encodeMessage({ type: 'alive', incarnation, node, addr, port, meta: meta ?? NO_BYTES, vsn })
    this.#tellUrgently(bytes, this.#swim.self, [])
  }

  /** Tells everyone where they are few; else those concerned, the subject, and a few who pass it on. */
  #tellUrgently(bytes: Uint8Array, subject: MemberRecord, concerned: readonly string[]): void {
    const { members, name } = this.#swim
    if (members.size <= this.#settings.tellAllUpTo) {
      for (const record of members.all()) {
        if (record.name === name || record.liveness === 'left') continue
        this.#swim.sendBare(record, [bytes], record)
      }
      return
    }
    this.#tellThese(bytes, [subject.name, ...concerned])
    this.#tellSome(bytes, 8)
  }

  #tellThese(bytes: Uint8Array, names: readonly string[]): void {
    for (const one of names) {
      const record = this.#swim.members.get(one)
      if (record && one !== this.#swim.name) this.#swim.sendBare(record, [bytes], record)
    }
  }

  #tellSome(bytes: Uint8Array, count: number): void {
    const { members, name, options } = this.#swim
    const suits = (record: MemberRecord): boolean => record.name !== name && living(record)
    for (const record of members.sample(count, options.random, suits))
      this.#swim.sendBare(record, [bytes], record)
  }

  // ---- our own standing

  #stand(standing: MembershipStanding): void {
    if (standing === this.#standing) return
    this.#standing = standing
    this.#standingChanged(standing)
  }

  /** Somebody is heard again: what we thought of the others while we were alone is not passed on. */
  #rejoined(): void {
    this.#swim.broadcasts.forget(
      (key, bytes) => key !== this.#swim.name && (bytes[0] === 3 || bytes[0] === 5),
    )
    this.#stand('confirmed')
  }

  /** This process was stopped for longer than others take to give up on it. */
  #paused(): void {
    if (!this.#hadCompany && this.#swim.others().length === 0) return
    this.#stand('paused')
    if (!this.#confirming) void this.#confirmMembership()
  }

  async #confirmMembership(): Promise<void> {
    this.#confirming = true
    try {
      for (let attempt = 0; this.#standing === 'paused' && this.#cancel; attempt++) {
        const answer = await this.#confirm()
        if (this.#standing !== 'paused') return
        if (answer === 'confirmed') return this.#stand('confirmed')
        // Nobody to be heard, again and again: that is being alone.
        if (answer === 'unheard' && attempt >= 3) return this.#stand('isolated')
        await new Promise<void>(resolve => this.#clock.after(50, resolve))
      }
    } finally {
      this.#confirming = false
    }
  }
}
