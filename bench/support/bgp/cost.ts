import { readFileSync } from 'node:fs'

/** What processes have cost until now, together. */
export interface Cost {
  /** Most resident memory, in megabytes. */
  readonly megabytes: number
  readonly cpuSeconds: number
}

/** Clock ticks of `/proc/PID/stat`; Linux shows no other number to programs. */
const TICKS_PER_SECOND = 100

export function costOf(pids: readonly number[]): Cost {
  let megabytes = 0
  let cpuSeconds = 0
  for (const pid of pids) {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    megabytes += (Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024) / 1e6
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
    cpuSeconds += (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  }
  return { megabytes, cpuSeconds }
}
