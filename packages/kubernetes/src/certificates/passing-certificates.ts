import type { Clock } from '@carillon/core'
import { EventEmitter } from 'eventemitter3'
import type {
  Certificates,
  CertificatesEvents,
  CertificatesStatus,
  ServingCertificate,
} from './certificates.ts'
import { issueLeaf, makeAuthority } from './x509.ts'

/** Whom a certificate is for that nobody keeps. */
export interface PassingCertificatesOptions {
  readonly commonName: string
  /** Names and addresses that the server is reached by. */
  readonly hosts: readonly string[]
  readonly clock: Clock
  /**
   * Milliseconds for which a certificate is valid. It is replaced after half of that.
   * @default 30 days
   */
  readonly lifeMs?: number
}

const dayMs = 86_400_000

/** Clocks of others may be behind. */
const slackMs = 3_600_000

/** Timers of Node.js take no longer, which is 24 days. */
const maxTimerMs = 2 ** 31 - 1

/**
 * Certificates that live and end with the process. Whoever connects sees that it is encrypted, and cannot tell to whom: for servers that ask who
 * is there, rather than the other way round.
 */
export class PassingCertificates implements Certificates {
  readonly events: EventEmitter<CertificatesEvents> = new EventEmitter()
  readonly #options: PassingCertificatesOptions
  #current: ServingCertificate | undefined
  #validTo: Date | undefined
  #cancel: (() => void) | undefined
  #closed = false

  constructor(options: PassingCertificatesOptions) {
    this.#options = options
  }

  async start(): Promise<ServingCertificate> {
    return this.#current ?? this.#make()
  }

  current(): ServingCertificate | undefined {
    return this.#current
  }

  status(): CertificatesStatus {
    return this.#validTo ? { validTo: this.#validTo.toISOString() } : {}
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    this.#cancel?.()
    this.events.removeAllListeners()
  }

  #make(): ServingCertificate {
    const { commonName, hosts, clock, lifeMs = 30 * dayMs } = this.#options
    const now = clock.date().getTime()
    const validity = { from: new Date(now - slackMs), to: new Date(now + lifeMs) }
    const signer = `${commonName} authority`
    // The authority's key is forgotten at once: it signs this one.
    const { key } = makeAuthority({ ...validity, commonName: signer })
    const made = issueLeaf({ commonName: signer, key }, { ...validity, commonName, hosts })
    this.#current = made
    this.#validTo = validity.to
    if (!this.#closed) this.#cancel = clock.after(Math.min(lifeMs / 2, maxTimerMs), () => this.#replace())
    return made
  }

  #replace(): void {
    this.events.emit('certificate:changed', this.#make())
  }
}
