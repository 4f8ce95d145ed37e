import { getPriority, setPriority } from 'node:os'
import { linux } from './linux.ts'
import { native } from './native.ts'

/**
 * How the calling thread gets a processor. `realtime`: before every thread of every process that is not real-time itself (SCHED_RR at
 * the lowest priority). `priority`: before others of its own process, and of its own container or login (nice -20). `none`: in turn.
 */
export type Urgency = 'realtime' | 'priority' | 'none'

const LOWEST_REALTIME = 1
const HIGHEST_PRIORITY = -20
/** The nice value that this thread came with. */
const usual = getPriority()

/**
 * Lets the calling thread, and none of its children, run as soon as it has something to do, as far as the system allows that; or takes
 * it back. Gives what is so now. Real time and priority need CAP_SYS_NICE.
 */
export function setUrgency(urgent: boolean): Urgency {
  const kernel = native()
  if (!urgent) kernel.schedule(linux.SCHED_OTHER, 0)
  else if (kernel.schedule(linux.SCHED_RR | linux.SCHED_RESET_ON_FORK, LOWEST_REALTIME) === 0)
    return 'realtime'
  try {
    // On Linux this concerns the calling thread alone.
    setPriority(0, urgent ? HIGHEST_PRIORITY : usual)
    return urgent ? 'priority' : 'none'
  } catch {
    return 'none'
  }
}
