import { readFile } from 'node:fs/promises'
import { CarillonError, type Clock, type Logger, silentLogger, systemClock } from '@carillon/core'
import { deriveMetalLBKey, type Keyring, parseKeyFile } from './keyring.ts'

/** Which file of keys to follow, and how. */
export interface KeyFileOptions {
  /** Read anew at every look, so that it may be a symlink that is turned to another file, as in a mounted Secret. */
  readonly path: string
  /** Where the keys go. Keys that were added by others are left alone. */
  readonly keyring: Keyring
  /**
   * `keys`: one key a line, the primary first, each as base64 or as it is; a file with one raw key may hold any bytes. `metallb`: a
   * secret of which a MetalLB speaker makes its key.
   * @default 'keys'
   */
  readonly format?: 'keys' | 'metallb'
  /**
   * From one look at the file to the next.
   * @default 2000
   */
  readonly pollMs?: number
  /**
   * A new key that stands first decrypts at once, and encrypts after this long: by then every other node should have read it too. A
   * key that stood in the file for so long already encrypts at once. Longer tolerates slower distribution of the file.
   * @default 120000
   */
  readonly settleMs?: number
  /**
   * A key that is no more in the file decrypts for this much longer. Longer tolerates nodes that read the file late; shorter shuts out
   * sooner who holds a key that leaked.
   * @default 600000
   */
  readonly keepMs?: number
  readonly clock?: Clock
  readonly log?: Logger
  /** Gives the content of the file. */
  readonly read?: (path: string) => Promise<Uint8Array>
}

/** A key that came from the file. */
interface Entry {
  readonly key: Uint8Array
  readonly since: number
  /** When it was no more in the file. */
  goneAt: number | undefined
}

const fromFile = async (path: string): Promise<Uint8Array> => await readFile(path)

/** A keyring that follows a file, so that the keys of a running cluster can be replaced. */
export class KeyFile implements AsyncDisposable {
  readonly #options: KeyFileOptions
  readonly #clock: Clock
  readonly #log: Logger
  #entries: Entry[] = []
  #content: Uint8Array = new Uint8Array(0)
  #wanted: readonly Uint8Array[] = []
  #complaint = ''
  #cancel: (() => void) | undefined
  #closed = false

  private constructor(options: KeyFileOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#log = (options.log ?? silentLogger).child({ component: 'key-file' })
  }

  /** Reads the file into the keyring and goes on looking at it. Rejects with `KEY_FILE_UNREADABLE` or `BAD_KEY`. */
  static async open(options: KeyFileOptions): Promise<KeyFile> {
    const file = new KeyFile(options)
    file.#content = await file.#read()
    file.#wanted = file.#parse(file.#content)
    if (file.#wanted.length === 0)
      file.#log.warn({ path: options.path }, 'the secret is empty: gossip is not encrypted')
    file.#apply()
    file.#arm()
    return file
  }

  /** Looks at the file now. What cannot be read or is no key changes nothing, and is logged once. */
  async refresh(): Promise<void> {
    try {
      const content = await this.#read()
      if (this.#closed) return
      if (Buffer.compare(content, this.#content) !== 0) {
        const wanted = this.#parse(content)
        if (wanted.length === 0 && this.#wanted.length > 0)
          throw new CarillonError('BAD_KEY', `${this.#options.path} is empty now; encryption is not given up`)
        this.#content = content
        this.#wanted = wanted
        this.#log.info({ path: this.#options.path, keys: wanted.length }, 'the key file has changed')
      }
      this.#complaint = ''
    } catch (error) {
      this.#complain(error as Error)
    }
    if (!this.#closed) this.#apply()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#cancel?.()
  }

  #arm(): void {
    this.#cancel = this.#clock.after(this.#options.pollMs ?? 2000, () => {
      void this.refresh().then(() => {
        if (!this.#closed) this.#arm()
      })
    })
  }

  #complain(error: Error): void {
    if (this.#closed || error.message === this.#complaint) return
    this.#complaint = error.message
    this.#log.warn(
      { err: error, path: this.#options.path },
      'the key file is not used; the keys stay as they are',
    )
  }

  async #read(): Promise<Uint8Array> {
    const { path, read = fromFile } = this.#options
    try {
      return Uint8Array.from(await read(path))
    } catch (error) {
      const message = `the key file ${path} cannot be read: ${(error as Error).message}`
      throw new CarillonError('KEY_FILE_UNREADABLE', message, { path }, { cause: error })
    }
  }

  #parse(content: Uint8Array): readonly Uint8Array[] {
    if (this.#options.format === 'metallb') {
      const key = deriveMetalLBKey(content)
      return key ? [key] : []
    }
    try {
      return parseKeys(content)
    } catch (error) {
      if (!(error instanceof CarillonError)) throw error
      throw new CarillonError(error.code, `${this.#options.path}: ${error.message}`, error.details)
    }
  }

  /** Brings the keyring closer to the file, as far as it is time. */
  #apply(): void {
    const { keyring, settleMs = 120_000, keepMs = 600_000 } = this.#options
    const now = this.#clock.now()
    for (const key of this.#wanted) {
      const known = this.#entries.find(entry => same(entry.key, key))
      if (known) known.goneAt = undefined
      else this.#entries.push({ key, since: now, goneAt: undefined })
      keyring.add(key)
    }
    const [primary] = this.#wanted
    const entry = primary && this.#entries.find(one => same(one.key, primary))
    const other = entry && keyring.primary && !same(keyring.primary, entry.key)
    if (other && now - entry.since >= settleMs) {
      keyring.use(entry.key)
      this.#log.info({ path: this.#options.path }, 'gossip is encrypted with another key now')
    }
    this.#entries = this.#entries.filter(one => {
      if (this.#wanted.some(key => same(key, one.key))) return true
      // The key that still encrypts is not given up, and its time begins when it no more does.
      if (keyring.primary && same(keyring.primary, one.key)) return true
      one.goneAt ??= now
      if (now - one.goneAt < keepMs) return true
      keyring.remove(one.key)
      return false
    })
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/**
 * Reads a key file that may hold several keys, one a line, the primary first, each as `parseKeyFile` reads it; empty lines do not count.
 * Throws `BAD_KEY`, which names the line and never shows what is in it.
 */
export function parseKeys(content: Uint8Array): readonly Uint8Array[] {
  try {
    return [parseKeyFile(content)]
  } catch (error) {
    const lines = Buffer.from(content).toString('latin1').split(/\r?\n/)
    const keys = lines.flatMap((line, index) => {
      if (line.trim() === '') return []
      try {
        return [parseKeyFile(Buffer.from(line.trim(), 'latin1'))]
      } catch (fault) {
        throw new CarillonError('BAD_KEY', `line ${index + 1} of the key file: ${(fault as Error).message}`)
      }
    })
    if (keys.length === 0) throw error
    return keys
  }
}
