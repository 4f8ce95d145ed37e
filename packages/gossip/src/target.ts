/** A process that has just started is busy with that, and may be slow to answer for so many milliseconds. */
export const newcomerMs = 1000

/** How long to leave a member in peace that answers over TCP alone; memberlist's own probes look after it meanwhile. */
const streamOnlyMs = 1000
/** Answers over TCP, and no datagram, that tell that its datagrams do not come through; fewer may be loss. */
const streamAnswersWanted = 3

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

  /** Milliseconds since the last question or the last sign of life, whichever is later. */
  rest(now: number): number {
    return now - Math.max(this.asked, this.#heard)
  }

  /** A datagram, or what stands for one. */
  hear(now: number): void {
    this.#heard = now
    this.#streamAnswers = 0
    this.#streamUntil = 0
    this.askedOthers = 0
    this.streamTried = false
    this.accused = false
  }

  /** An answer over TCP. */
  hearStream(now: number): void {
    const answers = this.#streamAnswers + 1
    this.hear(now)
    this.#streamAnswers = answers
    // Its datagrams do not come through, which is more than loss: asking for them over and over helps nobody.
    if (answers >= streamAnswersWanted) this.#streamUntil = now + streamOnlyMs
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
