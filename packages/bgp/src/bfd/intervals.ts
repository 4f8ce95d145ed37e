/** Milliseconds; while a session is not up nobody sends faster than this (RFC 5880 section 6.8.3). */
export const SLOW_MS = 1000

/** A timer of Node comes up to this late; an interval that is drawn leaves room for it, so that none is longer than agreed. */
const TIMER_SLACK_MS = 1

/** What both ends can do, of one of them. */
export interface Offer {
  readonly desiredMinTxMs: number
  readonly requiredMinRxMs: number
}

/** How often we send: not faster than we wish, nor than the peer can take; undefined when it takes nothing (section 6.8.7). */
export function transmitInterval(ours: Offer, theirs: Offer | undefined): number | undefined {
  // A peer that is not known yet takes a packet each microsecond (section 6.8.1).
  if (theirs === undefined) return ours.desiredMinTxMs
  return theirs.requiredMinRxMs === 0 ? undefined : Math.max(ours.desiredMinTxMs, theirs.requiredMinRxMs)
}

/** For how long nothing may be heard before the peer is lost (section 6.8.4). */
export const detectionTime = (ours: Offer, theirs: Offer, theirMultiplier: number): number =>
  theirMultiplier * Math.max(ours.requiredMinRxMs, theirs.desiredMinTxMs)

/**
 * An interval less 0 to 25 %, so that systems do not fall into step; at least 10 % less where a single loss ends the session (section
 * 6.8.7). `random` is 0 to 1.
 */
export function jittered(intervalMs: number, detectMultiplier: number, random: number): number {
  const least = 0.75 * intervalMs
  const most = (detectMultiplier === 1 ? 0.9 : 1) * intervalMs - TIMER_SLACK_MS
  return least + random * Math.max(0, most - least)
}
