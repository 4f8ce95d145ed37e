/** What an application adds to the gossip. Every part is optional; nothing may throw. */
export interface Delegate {
  /** A message of another member, sent to us or to everyone. */
  userMessage?(payload: Uint8Array): void
  /** What a member that we meet is to know of us; up to a megabyte. `join`: it is joining. */
  localState?(join: boolean): Uint8Array
  /** What a member that we met told of itself. */
  mergeRemoteState?(state: Uint8Array, join: boolean): void
}
