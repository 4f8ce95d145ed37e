import type { End } from './end.ts'

/** A router that announces. */
export interface Sender {
  /** Starts it without routes. */
  start(): Promise<void>
  /** Announces so many routes; gives the moment, on `performance.now()`, from which the time counts. Need not wait until it is done. */
  announce(count: number): Promise<number>
  /** Announces or withdraws one route beside those; gives the moment from which the time counts. */
  change(announce: boolean): Promise<number>
  /** The processes whose memory and processor time are its cost. */
  processes(): readonly number[]
  /** Lets go of what it has open; the processes end with their segment. */
  close(): Promise<void>
}

/** A router that announces, by its name in the results. */
export interface SenderKind {
  readonly name: string
  /** The command that it needs. */
  readonly command: string
  make(end: End): Sender
}
