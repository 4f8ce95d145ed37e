/** What a check of the host comes to. `skipped`: it could not be looked at, or does not apply; the message says which. */
export type Result = 'ok' | 'warning' | 'error' | 'skipped'

/** One thing that was looked at. */
export interface Finding {
  /** What kind of thing: `privileges`, `kernel`, `gossip`, `strictARP`, `responders`, `bgp`, `clock`. */
  readonly check: string
  /** Which one of its kind: a capability, an address, a peer. Empty where there is but one. */
  readonly subject: string
  readonly result: Result
  /** What was found. */
  readonly message: string
  /** What to do about it; null when there is nothing to do. */
  readonly advice: string | null
}

/** A check of one kind, as a function that makes its findings. */
export const findingsOf =
  (check: string) =>
  (subject: string, result: Result, message: string, advice: string | null = null): Finding => ({
    check,
    subject,
    result,
    message,
    advice,
  })
