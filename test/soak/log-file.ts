import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { page } from './small-disk.ts'

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

  /** Takes what room is left in its last page, with empty lines. */
  fillPage(): void {
    const used = fstatSync(this.file).size % page
    if (used > 0) writeSync(this.file, '\n'.repeat(page - used))
  }

  /** The lines since last time, without empty ones. */
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
    return lines.filter(line => line !== '')
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
