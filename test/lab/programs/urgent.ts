// Prints how this thread gets a processor, as we are told and as the kernel has it (policy 2 is SCHED_RR): urgent, and not any more.
import { readFileSync } from 'node:fs'
import { setUrgency } from '@carillon/sockets'

/** Fields 18 to 41 of proc(5)'s stat: nice value, policy. */
function kernel(): { readonly nice: number; readonly policy: number } {
  const fields = readFileSync('/proc/thread-self/stat', 'utf8').split(') ')[1]?.split(' ') ?? []
  return { nice: Number(fields[16]), policy: Number(fields[38]) }
}

const seen = [true, false].map(urgent => ({ told: setUrgency(urgent), ...kernel() }))
process.stdout.write(JSON.stringify(seen))
