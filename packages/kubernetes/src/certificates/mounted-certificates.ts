import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CarillonError, type Clock, type Logger, silentLogger } from '@carillon/core'
import { EventEmitter } from 'eventemitter3'
import type {
  Certificates,
  CertificatesEvents,
  CertificatesStatus,
  ServingCertificate,
} from './certificates.ts'
import { readCertificates, readKey } from './held-certificates.ts'

/** Where certificates are mounted. */
export interface MountedCertificatesOptions {
  /** Folder with `tls.crt` and `tls.key`, such as a mounted Secret. */
  readonly folder: string
  readonly clock: Clock
  readonly log?: Logger
  /**
   * The files are read again after this long, in milliseconds.
   * @default 30000
   */
  readonly rereadMs?: number
}

/**
 * Certificates that somebody else looks after, cert-manager for one. Whom the API server trusts is up to them, too. What cannot be used
 * leaves the last that could in force.
 */
export class MountedCertificates implements Certificates {
  readonly events: EventEmitter<CertificatesEvents> = new EventEmitter()
  readonly #options: MountedCertificatesOptions
  readonly #clock: Clock
  readonly #log: Logger
  #current: ServingCertificate | undefined
  #failing: { readonly since: Date; readonly error: CarillonError } | undefined
  #cancel: (() => void) | undefined
  #closed = false

  constructor(options: MountedCertificatesOptions) {
    this.#options = options
    this.#clock = options.clock
    this.#log = options.log ?? silentLogger
  }

  /** Rejects with `CERTIFICATE_UNUSABLE` when there is nothing that can be shown. */
  async start(): Promise<ServingCertificate> {
    const current = await this.#read()
    this.#current = current
    this.#later()
    return current
  }

  current(): ServingCertificate | undefined {
    return this.#current
  }

  status(): CertificatesStatus {
    const [read] = readCertificates(this.#current?.certificate)
    const failing = this.#failing
    return {
      ...(read ? { validTo: read.to.toISOString() } : {}),
      ...(failing ? { failing: { since: failing.since.toISOString(), error: failing.error } } : {}),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#cancel?.()
    this.events.removeAllListeners()
  }

  #later(): void {
    if (this.#closed) return
    this.#cancel = this.#clock.after(this.#options.rereadMs ?? 30_000, () => void this.#reread())
  }

  async #reread(): Promise<void> {
    try {
      const next = await this.#read()
      if (this.#closed) return
      this.#failing = undefined
      if (next.certificate !== this.#current?.certificate || next.key !== this.#current.key) {
        this.#current = next
        this.#log.info({ folder: this.#options.folder }, 'certificates were read anew')
        this.events.emit('certificate:changed', next)
      }
    } catch (error) {
      const failure = error as CarillonError
      if (this.#failing?.error.message !== failure.message) {
        this.#failing = { since: this.#clock.date(), error: failure }
        this.#log.warn({ code: failure.code, message: failure.message }, 'certificates cannot be read anew')
      }
    }
    this.#later()
  }

  async #read(): Promise<ServingCertificate> {
    const { folder } = this.#options
    const certificate = await text(join(folder, 'tls.crt'))
    const key = await text(join(folder, 'tls.key'))
    const [read] = readCertificates(certificate)
    if (!read) throw unusable(folder, 'tls.crt holds no certificate in PEM')
    const found = readKey(key)
    if (!found) throw unusable(folder, 'tls.key holds no private key in PEM without a passphrase')
    // A mounted Secret changes in one piece; other folders may be caught half-written.
    if (!read.x509.checkPrivateKey(found))
      throw unusable(folder, 'tls.key is not the key of the first certificate in tls.crt')
    return { certificate, key }
  }
}

const unusable = (folder: string, why: string, cause?: unknown): CarillonError =>
  new CarillonError(
    'CERTIFICATE_UNUSABLE',
    `cannot use the certificates in ${folder}: ${why}`,
    { folder },
    { cause },
  )

async function text(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const errno = (cause as NodeJS.ErrnoException).code
    throw new CarillonError(
      'CERTIFICATE_UNUSABLE',
      `cannot read ${path}: ${errno === 'ENOENT' ? 'there is no such file' : (errno ?? String(cause))}`,
      { path, errno },
      { cause },
    )
  }
}
