import { type Finding, findingsOf } from './finding.ts'

const finding = findingsOf('clock')

/** How the clock was found. */
export interface ClockFacts {
  /** Whether something keeps it in step, and what says so; undefined: nothing that could say so is there. */
  readonly synchronised: { readonly yes: boolean; readonly by: string } | undefined
  /** Milliseconds that wall-clock time moved away from steady time while the host was being checked. */
  readonly driftMs: number
}

/** A clock that is slewed moves by 0.5 ms a second; what is beyond this was a jump. */
const jumpMs = 50

/** Whether the time of this host can be relied on: logs, certificates and --sticky go by it, failure detection does not. */
export function checkClock({ synchronised, driftMs }: ClockFacts): readonly Finding[] {
  const advice = 'run chrony or systemd-timesyncd'
  return [
    synchronised === undefined
      ? finding(
          'synchronised',
          'skipped',
          'neither chronyc nor timedatectl answers, so nobody says whether it is',
          advice,
        )
      : synchronised.yes
        ? finding('synchronised', 'ok', `as ${synchronised.by} says`)
        : finding(
            'synchronised',
            'warning',
            `it is not, as ${synchronised.by} says: times in logs and events differ between nodes, certificates may look invalid, and --sticky goes by it`,
            advice,
          ),
    Math.abs(driftMs) < jumpMs
      ? finding('jumps', 'ok', 'none while this host was checked')
      : finding(
          'jumps',
          'warning',
          `it jumped by ${Math.round(driftMs)} ms while this host was checked`,
          'let a single program set the clock, by slewing',
        ),
  ]
}
