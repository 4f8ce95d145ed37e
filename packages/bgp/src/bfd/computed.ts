import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'

/**
 * Milliseconds for which a processor has run the calling thread; where the kernel does not tell, those in which its event loop did not
 * wait. The latter count the time, too, in which it would have run, and others did.
 */
export function computedMs(): number {
  try {
    const nanoseconds = Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ', 1)[0])
    if (nanoseconds > 0) return nanoseconds / 1e6
  } catch {
    // Below.
  }
  return performance.eventLoopUtilization().active
}
