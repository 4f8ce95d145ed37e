import type { BackOff } from './settings.ts'

/** Between three quarters of a time and the whole of it (RFC 4271 section 10), so that speakers do not move in step. */
export function jittered(ms: number, random: () => number): number {
  return ms * (0.75 + 0.25 * random())
}

/** Milliseconds to wait after so many failures in a row (1 or more). */
export function backOffMs({ firstMs, longestMs }: BackOff, failures: number, random: () => number): number {
  // Beyond 2^30 every sensible maximum is reached.
  return jittered(Math.min(longestMs, firstMs * 2 ** Math.min(30, Math.max(0, failures - 1))), random)
}
