/** What a fuzzing thread is to do next. */
export interface Task {
  readonly parser: string
  readonly seed: number
  readonly seconds: number
}

/** What came of it. */
export interface Done {
  readonly runs: number
  /** Inputs that came to something that no other came to, beside the corpus. */
  readonly found: readonly Uint8Array[]
  readonly failures: readonly { readonly bytes: Uint8Array; readonly message: string }[]
}

/** Milliseconds within which every input must have been read. */
export const patienceMs = 2000

/** Bytes before those of the present input: its number and its length. */
export const header = 8

/** Bytes of memory in which a thread shows its present input, so that one that never ends can be told. */
export const presentBytes: number = header + 64 * 1024
