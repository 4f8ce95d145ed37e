import { randomFillSync } from 'node:crypto'

// Asking the system once for many numbers costs hardly more than once for one.
const pool = new Uint32Array(1024)
let left = 0

/** 0 to 1, not to be guessed: what is drawn from it keeps strangers out. */
export function secureRandom(): number {
  if (left === 0) {
    randomFillSync(pool)
    left = pool.length
  }
  return (pool[--left] as number) / 2 ** 32
}
