import { setTimeout as wait } from 'node:timers/promises'

/**
 * The first value of `ask` that is as wanted; for what a cluster does in its own time.
 *
 * @param patienceMs more where processes have to start
 */
export async function eventually<T>(
  ask: () => Promise<T>,
  wanted: (value: T) => boolean,
  patienceMs = 60_000,
): Promise<T> {
  for (const until = Date.now() + patienceMs; ; await wait(20)) {
    const value = await ask()
    if (wanted(value)) return value
    if (Date.now() > until) throw new Error(`still ${JSON.stringify(value)?.slice(0, 500)}`)
  }
}
