import type { Clock } from '@carillon/core'
import { Accusations } from './accusations.ts'
import type { Herald } from './herald.ts'
import { living, type MemberRecord } from './member-record.ts'
import { Patience } from './patience.ts'
import type { Prober } from './prober.ts'
import type { WatchSettings } from './profile.ts'
import { Ring } from './ring.ts'
import type { Standing } from './standing.ts'
import type { Swim } from './swim.ts'
import { type LifeSign, newcomerMs, Target } from './target.ts'
import { type Dead, encodeMessage, messageTypes, type Suspect } from './wire/index.ts'

/** Targets at most, where few members watch and many are to be watched. */
const mostTargets = 8

/** From one word to the dead to the next: should they live after all, they object. */
const remindMs = 300

/** From one accusation to the next by the same watcher, while nothing is heard. */
const accuseAgainMs = 100

interface WatcherOptions {
  readonly swim: Swim
  readonly prober: Prober
  readonly herald: Herald
  readonly standing: Standing
  /** The real one, which shows when this process was held up. */
  readonly clock: Clock
  readonly settings: WatchSettings
}

/**
 * Close watch, beside memberlist's own probes and with none but its messages: every member is pinged some twenty times a second by a few
 * others; when it falls silent they ask on every path at once, and when that brings nothing either they accuse it to each other. Two that
 * agree make a death, which is told at once to everyone. See docs/decisions for how the figures were found.
 */
export class Watcher {
  readonly #swim: Swim
  readonly #prober: Prober
  readonly #herald: Herald
  readonly #standing: Standing
  readonly #clock: Clock
  readonly #settings: WatchSettings
  readonly #targets = new Map<string, Target>()
  readonly #accusations = new Accusations()
  readonly #patience: Patience
  /** Since when those were silent whom we accused, and who are dead now. */
  readonly #silentSince = new Map<string, number>()
  readonly #ring: Ring
  /** Whose state has changed. */
  readonly #touched = new Set<string>()
  #ticked = 0
  #startedAt = 0
  #heardAnyone = 0
  #hadCompany = false
  #reminded = 0
  #cutOff = false
  #cancel: (() => void) | undefined

  constructor({ swim, prober, herald, standing, clock, settings }: WatcherOptions) {
    this.#swim = swim
    this.#prober = prober
    this.#herald = herald
    this.#standing = standing
    this.#clock = clock
    this.#settings = settings
    this.#ring = new Ring(settings.watchers)
    this.#patience = new Patience(settings.accuseMs)
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

  /** What we know of a member is different. */
  changed(name: string): void {
    this.#touched.add(name)
  }

  /** A packet of a member arrived; `unasked`: with more than answers. */
  heard({ name }: MemberRecord, unasked: boolean): void {
    const target = this.#targets.get(name)
    if (target) this.#hear(target, unasked ? 'unasked' : 'answer')
    else this.#heardSomebody(this.#now())
  }

  #hear(target: Target, sign: LifeSign): void {
    const now = this.#now()
    if (target.accused) this.#accusations.withdraw(target.name, this.#swim.name)
    if (!this.#cutOff) this.#patience.ended(target.name, target.silence(now), now)
    target.hear(sign, now)
    this.#heardSomebody(now)
  }

  /** What we thought of the others while we heard nobody is not passed on. */
  #heardSomebody(now: number): void {
    this.#heardAnyone = now
    if (this.#standing.now !== 'isolated') return
    const { suspect, dead } = messageTypes
    this.#swim.broadcasts.forget(
      (key, [type]) => key !== this.#swim.name && (type === suspect || type === dead),
    )
    this.#standing.become('confirmed')
  }

  /** Somebody accuses a member: whoever watches it looks at once. */
  accused({ node, from, incarnation }: Suspect): void {
    const now = this.#now()
    const record = this.#swim.members.get(node)
    // Only its watchers count, so that nobody can fill the memory with names.
    if (!record || !living(record) || !this.#ring.watchersOf(node).includes(from)) return
    this.#accusations.add(node, from, { at: now, incarnation })
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

  /** Takes in whose state changed since the last time: who watches whom may be different. */
  #refresh(now: number): void {
    if (this.#touched.size === 0) return
    const { members, name } = this.#swim
    for (const one of this.#touched) {
      const record = members.get(one)
      if (record && living(record)) {
        // Who is accused itself does not watch.
        this.#ring.set(one, one === name || (record.liveness === 'alive' && this.#watches(record)))
      } else {
        this.#ring.delete(one)
        this.#accusations.forget(one)
        const target = this.#targets.get(one)
        if (record && target?.accused) this.#silentSince.set(one, now - target.silence(now))
        if (!record) this.#silentSince.delete(one)
        if (!record) this.#patience.forget(one)
      }
    }
    this.#touched.clear()
    if (this.#ring.size > 1) this.#hadCompany = true
    const wanted = this.#ring.watchedBy(name).slice(0, mostTargets)
    for (const target of this.#targets.keys()) if (!wanted.includes(target)) this.#targets.delete(target)
    for (const target of wanted) {
      if (this.#targets.has(target)) continue
      const since = this.#silentSince.get(target)
      if (since !== undefined) this.#patience.ended(target, now - since, now)
      this.#silentSince.delete(target)
      // Not all at once: questions to different members are spread over the interval.
      const asked = now - this.#swim.options.random() * this.#settings.intervalMs
      this.#targets.set(target, new Target(target, now, asked, now + this.#newcomerMs(target)))
    }
    this.#swim.spread(1 + this.#burden(wanted))
  }

  /**
   * What memberlist has to say it says in answers to pings, too; those we watch say it to us and to hardly anybody else. So we pass it on
   * in their stead: this is our share.
   */
  #burden(targets: readonly string[]): number {
    let share = 0
    for (const name of targets) {
      const record = this.#swim.members.get(name)
      if (record && !this.#watches(record)) share += 1 / this.#ring.watchersOf(name).length
    }
    return share
  }

  #tick(): void {
    const now = this.#now()
    const gap = now - this.#ticked
    this.#ticked = now
    const { retryMs, alarmMs, accuseMs, pauseMs } = this.#settings
    // Time in which this process did not run counts against nobody: what they sent meanwhile is still in the socket.
    const late = gap - retryMs
    if (late > retryMs) {
      for (const target of this.#targets.values()) target.excuse(late, now)
      this.#heardAnyone = Math.min(now, this.#heardAnyone + late)
      // The others bear with a newcomer for a while, and its start is work.
      if (late >= pauseMs && now - this.#startedAt >= newcomerMs) this.#paused()
      return
    }
    this.#refresh(now)
    const silent: Target[] = []
    for (const target of this.#targets.values()) if (target.silence(now) >= alarmMs) silent.push(target)
    // All of them at once, and nobody else says so: it is more likely that we are cut off, one way or both.
    const unheard = now - this.#heardAnyone >= alarmMs
    const all = silent.length > 1 && silent.length === this.#targets.size
    const cutOff =
      all && (unheard || !silent.some(({ name }) => this.#accusations.byOthers(name, this.#swim.name, now)))
    // Once connected again, the time in which nobody could be heard is held against nobody.
    if (this.#cutOff && !cutOff) for (const target of this.#targets.values()) target.pardon(now)
    this.#cutOff = cutOff
    for (const target of this.#targets.values()) this.#attend(target, now, cutOff)
    if (now - this.#reminded >= remindMs) this.#remind(now)
    const alone =
      this.#hadCompany && now - this.#heardAnyone >= accuseMs && (cutOff || this.#swim.others().length === 0)
    if (alone && this.#standing.now === 'confirmed') this.#standing.become('isolated')
  }

  /** Tells the dead that they are, so that one who was only cut off is back as soon as the path is. Its watchers do. */
  #remind(now: number): void {
    this.#reminded = now
    const { members, name } = this.#swim
    for (const record of members.gone()) {
      if (record.liveness !== 'dead' || !this.#ring.watchersOf(record.name).includes(name)) continue
      const message: Dead = { type: 'dead', incarnation: record.incarnation, node: record.name, from: name }
      this.#swim.sendBare(record, [encodeMessage(message)], record)
    }
  }

  #attend(target: Target, now: number, cutOff: boolean): void {
    const { intervalMs, alarmMs, retryMs } = this.#settings
    const silence = target.silence(now)
    const record = this.#swim.members.get(target.name)
    if (!record) return
    const alarmed = silence >= alarmMs
    // Who has just told us something, because it watches us, need not be asked. Answers may be late, and count only as that.
    const due = alarmed ? now - target.asked >= retryMs : target.rest(now) >= intervalMs
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
    if (silence < this.#patience.with(target.name, now) || cutOff) return
    // Said again and again: what two of them say has to reach at least one of them.
    if (!target.accused || now - target.accusedAt >= accuseAgainMs) this.#accuse(target, record)
    this.#judge(target.name, now)
  }

  #ask(target: Target, record: MemberRecord): void {
    const seqNo = this.#prober.hope(this.#settings.accuseMs, () => this.#hear(target, 'answer'))
    const ping = encodeMessage(this.#prober.ping(record.name, seqNo))
    // Who still counts as suspect is told, so that it can object.
    const parts = record.liveness === 'suspect' ? [encodeMessage(this.#suspect(record)), ping] : [ping]
    this.#swim.sendBare(record, parts)
  }

  #askOthers(target: Target, record: MemberRecord): void {
    const { settings, outlet } = this.#swim.options
    const seqNo = this.#prober.hope(this.#settings.accuseMs, () => this.#hear(target, 'answer'))
    for (const relay of this.#prober.relays(record, settings.indirectChecks))
      this.#prober.askThrough(relay, record, seqNo)
    if (target.streamTried || settings.disableTcpPings) return
    target.streamTried = true
    const number = this.#swim.nextSequence()
    void outlet
      .streamPing(record, this.#prober.ping(record.name, number), this.#settings.accuseMs)
      .then(answered => {
        if (answered) this.#hear(target, 'stream')
      })
  }

  #accuse(target: Target, record: MemberRecord): void {
    const message = this.#suspect(record)
    const bytes = encodeMessage(message)
    const watchers = this.#ring.watchersOf(record.name)
    const again = target.accused
    target.accused = true
    target.accusedAt = this.#now()
    this.#swim.suspect(message)
    if (again) this.#herald.tellThese(bytes, watchers)
    else this.#herald.tell(bytes, record, watchers)
  }

  #suspect({ name: node, incarnation }: MemberRecord): Suspect {
    return { type: 'suspect', incarnation: this.#newest(node, incarnation), node, from: this.#swim.name }
  }

  /** The newest that we have heard of: another watcher may know of an objection that never reached us. */
  #newest(member: string, incarnation: number): number {
    return this.#accusations.newest(member, incarnation)
  }

  /** Declares the death of a member that enough of its watchers accuse. */
  #judge(name: string, now: number): void {
    const target = this.#targets.get(name)
    const record = this.#swim.members.get(name)
    if (!target?.accused || !record || !living(record)) return
    const watchers = this.#ring.watchersOf(name)
    // What was said of it before it objected counts no more.
    const agreed = watchers.filter(by => this.#accusations.counts(name, by, record.incarnation, now))
    if (agreed.length < Math.min(2, watchers.length)) return
    const alone = watchers.length < 2
    if (alone && target.silence(now) < this.#patience.with(name, now) + this.#settings.aloneMs) return
    const incarnation = this.#newest(name, record.incarnation)
    const message: Dead = { type: 'dead', incarnation, node: name, from: this.#swim.name }
    if (this.#swim.dead(message)) this.#herald.tell(encodeMessage(message), record, [])
  }

  /** This process was stopped for longer than others take to give up on it. */
  #paused(): void {
    if (this.#hadCompany || this.#swim.others().length > 0) this.#standing.doubt()
  }
}
