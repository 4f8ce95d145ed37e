import { closeSync, ftruncateSync, openSync, readSync } from 'node:fs'

/** Bytes from which on a log file starts anew. */
const large = 512 << 10

/** A log that processes append to, read line by line as it grows. */
export class LogFile implements Disposable {
  /** What a process is given to write to. */
  readonly file: number
  #read = 0
  #rest = ''

  constructor(path: string) {
    this.file = openSync(path, 'a+')
  }

  /** The lines since last time. */
  lines(): readonly string[] {
    const bytes = new Uint8Array(64 << 10)
    for (;;) {
      const count = readSync(this.file, bytes, 0, bytes.length, this.#read)
      if (count === 0) break
      this.#read += count
      // Logs are ASCII where it matters; a torn character would only be told wrongly.
      this.#rest += Buffer.from(bytes.subarray(0, count)).toString()
    }
    const lines = this.#rest.split('\n')
    this.#rest = lines.pop() ?? ''
    return lines
  }

  /** Starts anew where it has become large, or was left in the middle of a line by a process that has ended. */
  trim(ended = false): void {
    if (!ended && (this.#read < large || this.#rest !== '')) return
    ftruncateSync(this.file, 0)
    this.#read = 0
    this.#rest = ''
  }

  [Symbol.dispose](): void {
    closeSync(this.file)
  }
}
