/** A place that all members see. Gossip gives one: its user messages, and the state that two members exchange when they meet. */
export interface Blackboard {
  /** Tells every member, best effort; up to about a kilobyte. */
  tell(message: Uint8Array): void
  /** What others told, and what a member that we meet knows already. */
  heard(handle: (message: Uint8Array) => void): void
  /** What to tell a member that we meet. */
  known(provide: () => Uint8Array): void
}
