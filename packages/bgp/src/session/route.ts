/** A prefix to announce to a peer. */
export interface BgpRoute {
  /** `192.168.1.240/32`, `2001:db8::/64`; a bare address stands for itself alone. */
  readonly prefix: string
  /** LOCAL_PREF, for peers in our AS. @default 0, which stands for 100 */
  readonly localPref?: number
  /** `65000:1`, or `large:65000:1:2` (RFC 8092). @default none */
  readonly communities?: readonly string[]
}
