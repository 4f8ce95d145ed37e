/** What a system says of a session (RFC 5880 section 4.1, Sta). */
export type BfdState = 'admin-down' | 'down' | 'init' | 'up'

/** States in the order of their codes on the wire. */
export const bfdStates: readonly BfdState[] = Object.freeze(['admin-down', 'down', 'init', 'up'])
