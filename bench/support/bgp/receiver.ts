import type { End } from './end.ts'

/** A router that learns. */
export interface Receiver {
  start(): Promise<void>
  /** Whether there is a session with the sender. */
  established(): Promise<boolean>
  /** How many routes of the sender it holds. */
  held(): Promise<number>
}

export interface ReceiverKind {
  readonly name: string
  /** The command that it needs. */
  readonly command: string
  make(end: End): Receiver
}
