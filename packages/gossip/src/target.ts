/** A process that has just started is busy with that, and may be slow to answer for so many milliseconds. */
export const newcomerMs = 1000

/** How long to leave a member in peace that answers over TCP alone; memberlist's own probes look after it meanwhile. */
const streamOnlyMs = 1000
/** Answers over TCP, and no datagram, that tell that its datagrams do not come through; fewer may be loss. */
const streamAnswersWanted = 3

/** A datagram that brings more than answers, an answer (by whomever), or an answer over TCP. */
export type LifeSign = 'unasked' | 'answer' | 'stream'

/** A member that we watch: when it was last heard, and what we have done about its silence. Times in milliseconds. */
export class Target {
  readonly name: string
  /** The last question to it, and the last to others about it. */
  asked: number
  askedOthers = 0
  streamTried = false
  accused = false
  /** When we last said so. */
  accusedAt = 0
  #heard: number
  #told = Number.NEGATIVE_INFINITY
  /** Until then silence is not held against it: it has just started. */
  #newUntil: number
  /** Until then it is left in peace, because it answers over TCP, though no datagram comes through. */
  #streamUntil = 0
  /** How often it answered over TCP since its last datagram. */
  #streamAnswers = 0

  constructor(name: string, now: number, asked: number, newUntil: number) {
    this.name = name
    this.asked = asked
    this.#heard = now
    this.#newUntil = newUntil
  }

  /** Milliseconds without a sign of life that count. */
  silence(now: number): number {
    return now - Math.max(this.#heard, this.#newUntil, this.#streamUntil)
  }

  /** Milliseconds since we last asked, or were told something unasked, whichever is later. */
  rest(now: number): number {
    return now - Math.max(this.asked, this.#told)
  }

  hear(sign: LifeSign, now: number): void {
    this.#heard = now
    if (sign === 'unasked') this.#told = now
    this.#streamAnswers = sign === 'stream' ? this.#streamAnswers + 1 : 0
    // Its datagrams do not come through, which is more than loss: asking for them over and over helps nobody.
    this.#streamUntil = this.#streamAnswers >= streamAnswersWanted ? now + streamOnlyMs : 0
    this.askedOthers = 0
    this.streamTried = false
    this.accused = false
  }

  /** Time in which we could not hear is not held against it. */
  excuse(ms: number, now: number): void {
    this.#heard = Math.min(now, this.#heard + ms)
  }

  /** Whatever silence there was counts no more. */
  pardon(now: number): void {
    this.#newUntil = Math.max(this.#newUntil, now)
  }
}
