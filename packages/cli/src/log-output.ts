/** Bytes of lines that wait at most, while they cannot be written. */
const mostWaiting = 256 << 10

/** What a log's output does with the world. */
export interface LogOutputOptions {
  /** Writes bytes at once and gives how many of them it took; throws while it can take none. */
  readonly write: (bytes: Uint8Array) => number
  /** Runs this some time from now. */
  readonly later: (run: () => void) => void
  /** Told how many lines are missing, once lines can be written again. */
  readonly lost: (lines: number) => void
}

/**
 * Where the lines of a log go, at once and in order. A full disk, or a reader that has gone or stands still, must neither end nor stop
 * the program that writes: lines wait until they can be written, up to 256 KiB, and those beyond are counted.
 */
export class LogOutput {
  readonly #options: LogOutputOptions
  #waiting: Uint8Array[] = []
  #bytes = 0
  #lost = 0
  #trying = false

  constructor(options: LogOutputOptions) {
    this.#options = options
  }

  /** Takes a line, with the newline at its end. */
  write(line: string): void {
    const bytes = Buffer.from(line)
    if (this.#bytes + bytes.length > mostWaiting) {
      this.#lost++
      return
    }
    this.#waiting.push(bytes)
    this.#bytes += bytes.length
    this.#flush()
  }

  /** Tries once more to write what waits, as long as `patient` says so. */
  finish(patient: () => boolean): void {
    while (this.#waiting.length > 0 && patient()) this.#flush()
  }

  #flush(): void {
    try {
      for (let first = this.#waiting[0]; first; first = this.#waiting[0]) {
        const taken = this.#options.write(first)
        this.#bytes -= taken
        if (taken < first.length) this.#waiting[0] = first.subarray(taken)
        else this.#waiting.shift()
      }
    } catch {
      this.#tryLater()
      return
    }
    const lines = this.#lost
    this.#lost = 0
    if (lines > 0) this.#options.lost(lines)
  }

  #tryLater(): void {
    if (this.#trying) return
    this.#trying = true
    this.#options.later(() => {
      this.#trying = false
      this.#flush()
    })
  }
}
