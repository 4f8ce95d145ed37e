import { execFile } from 'node:child_process'
import type { ClockFacts } from '../clock.ts'

/** What a program printed; undefined when it is not there or fails. */
const output = (command: string, ...args: readonly string[]): Promise<string | undefined> =>
  new Promise(resolve => {
    execFile(command, [...args], { timeout: 2000 }, (error, stdout) => resolve(error ? undefined : stdout))
  })

/** Asks whoever keeps the clock in step; both ask the kernel (adjtimex). */
export async function probeSynchronised(): Promise<ClockFacts['synchronised']> {
  const chrony = await output('chronyc', '-n', 'tracking')
  const leap = /^Leap status\s*:\s*(.+)$/m.exec(chrony ?? '')?.[1]
  if (leap !== undefined) return { yes: leap !== 'Not synchronised', by: 'chronyc' }
  const told = (await output('timedatectl', 'show', '--property=NTPSynchronized', '--value'))?.trim()
  return told === 'yes' || told === 'no' ? { yes: told === 'yes', by: 'timedatectl' } : undefined
}

/** Begins to compare wall-clock time with steady time; the function gives how far they have moved apart since, in milliseconds. */
export function watchClock(wall: () => number, steady: () => number): () => number {
  const apart = wall() - steady()
  return () => wall() - steady() - apart
}
