import type { SharedFault, Undo } from './fault.ts'
import type { SoakProcess } from './soak-process.ts'
import type { Wanted } from './wanted.ts'

/** What tells the nodes of a soak run what to announce. */
export interface SoakSource extends AsyncDisposable {
  /** Processes beside the speakers. */
  readonly processes: readonly SoakProcess[]
  /** The command line of a node's speaker. */
  words(node: string): readonly string[]
  /** Asks for this from now on. */
  want(wanted: Wanted): Promise<void>
  /** Makes a fault of its own happen; gives what ends it. */
  strike(fault: SharedFault, choice: number): Promise<Undo>
}
