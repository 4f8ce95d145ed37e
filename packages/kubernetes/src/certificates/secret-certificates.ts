import { Buffer } from 'node:buffer'
import { CarillonError, type Clock, type Logger, type Metrics, noMetrics, silentLogger } from '@carillon/core'
import { EventEmitter } from 'eventemitter3'
import { type Client, type KubeObject, resourceTypes } from '../client/index.ts'
import type {
  Certificates,
  CertificatesEvents,
  CertificatesStatus,
  ServingCertificate,
} from './certificates.ts'
import { type CertificateTexts, certificateFiles, readCertificates } from './held-certificates.ts'
import { type Mint, Rotation, type RotationOptions } from './rotation.ts'
import { type TrustTargets, TrustWriter } from './trust-writer.ts'

/** What keeping certificates in a Secret takes. */
export interface SecretCertificatesOptions extends RotationOptions, TrustTargets {
  readonly client: Client
  /** Where the Secret and the Service are. */
  readonly namespace: string
  readonly clock: Clock
  readonly log?: Logger
  readonly metrics?: Metrics
  /**
   * Name of the Secret.
   * @default 'metallb-webhook-cert'
   */
  readonly secret?: string
  /**
   * Name of the Service by which the API server reaches the webhooks.
   * @default 'metallb-webhook-service'
   */
  readonly service?: string
  /**
   * Names and addresses by which they are reached otherwise.
   * @default []
   */
  readonly hosts?: readonly string[]
  /**
   * The Secret, and those who have to trust what is in it, are looked at again after this long, in milliseconds.
   * @default 30000
   */
  readonly lookMs?: number
  /** Where certificates are made. */
  readonly mint?: Mint
}

/** The first pause after a failure, and the longest, in milliseconds. */
const [backOffMs, maxBackOffMs] = [500, 30_000]

/** Others were faster so often in a row that something is wrong. */
const maxRaces = 10

const lostRace: ReadonlySet<string> = new Set(['API_EXISTS', 'API_CONFLICT'])

/**
 * Certificates that look after themselves: an authority and a serving certificate in a Secret, made when they are not there, replaced in
 * time, and trusted by the API server before they are shown. Every replica does this; whose write comes second takes what the first has written.
 */
export class SecretCertificates implements Certificates {
  readonly events: EventEmitter<CertificatesEvents> = new EventEmitter()
  readonly #options: SecretCertificatesOptions
  readonly #client: Client
  readonly #clock: Clock
  readonly #log: Logger
  readonly #rotation: Rotation
  readonly #trust: TrustWriter
  readonly #name: string
  readonly #expiry: ReturnType<Metrics['gauge']>
  readonly #stop = new AbortController()
  #current: ServingCertificate | undefined
  #validTo: Date | undefined
  /** The authorities that everybody was last made to trust. */
  #published: string | undefined
  #failing: { readonly since: Date; readonly attempts: number; readonly error: CarillonError } | undefined
  #cancelLook: (() => void) | undefined
  #started: Promise<ServingCertificate> | undefined
  #resolve: ((certificate: ServingCertificate) => void) | undefined
  #reject: ((error: CarillonError) => void) | undefined

  constructor(options: SecretCertificatesOptions) {
    const { namespace, service = 'metallb-webhook-service', hosts = [] } = options
    this.#options = options
    this.#client = options.client
    this.#clock = options.clock
    this.#log = options.log ?? silentLogger
    this.#name = options.secret ?? 'metallb-webhook-cert'
    const reached = [`${service}.${namespace}.svc`, `${service}.${namespace}.svc.cluster.local`, ...hosts]
    this.#rotation = new Rotation(reached, options, options.mint)
    this.#trust = new TrustWriter(options.client, { webhooks: { namespace, service }, ...options })
    this.#expiry = (options.metrics ?? noMetrics).gauge(
      'carillon_webhook_certificate_expiry_seconds',
      'When the serving certificate of the webhooks ends, in seconds since 1970',
    )
  }

  /** Resolves when there is a certificate that the API server trusts; while the API server is away it is tried again and again. */
  start(): Promise<ServingCertificate> {
    this.#started ??= new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      void this.#look()
    })
    return this.#started
  }

  current(): ServingCertificate | undefined {
    return this.#current
  }

  status(): CertificatesStatus {
    const failing = this.#failing
    return {
      ...(this.#validTo ? { validTo: this.#validTo.toISOString() } : {}),
      ...(failing ? { failing: { since: failing.since.toISOString(), error: failing.error } } : {}),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#cancelLook?.()
    this.#stop.abort()
    this.#reject?.(new CarillonError('API_CANCELLED', 'the certificates were closed'))
    this.events.removeAllListeners()
  }

  async #look(): Promise<void> {
    let pause = this.#options.lookMs ?? 30_000
    try {
      const texts = await this.#bring()
      // What is signed by authorities that are trusted already, or follows nothing, can be shown at once.
      if (!this.#current || this.#published === texts['ca.crt']) this.#take(texts)
      await this.#publish(texts)
      this.#take(texts)
      this.#resolve?.(this.#current as ServingCertificate)
      this.#recovered()
    } catch (error) {
      if (this.#stop.signal.aborted) return
      pause = this.#failed(error)
    }
    if (this.#stop.signal.aborted) return
    this.#cancelLook = this.#clock.after(pause, () => void this.#look())
  }

  /** Makes the Secret hold what it should. */
  async #bring(): Promise<CertificateTexts> {
    for (let left = maxRaces; ; left--) {
      const object = await this.#read()
      // Other replicas go on with certificates of authorities that somebody has deleted.
      const texts = { 'ca.crt': this.#published ?? '', ...textsOf(object) }
      const wanted = this.#rotation.next(texts, this.#clock.date(), this.#published === texts['ca.crt'])
      try {
        if (wanted !== texts) await this.#write(object, wanted)
        return wanted
      } catch (error) {
        const raced = error instanceof CarillonError && lostRace.has(error.code)
        if (!raced || left <= 1) throw error
      }
    }
  }

  async #read(): Promise<KubeObject | undefined> {
    const { namespace } = this.#options
    try {
      return await this.#client.get(
        resourceTypes.secrets,
        { namespace, name: this.#name },
        { signal: this.#stop.signal },
      )
    } catch (error) {
      if (error instanceof CarillonError && error.code === 'API_NOT_FOUND') return undefined
      throw error
    }
  }

  async #write(object: KubeObject | undefined, texts: CertificateTexts): Promise<void> {
    const { namespace } = this.#options
    const { signal } = this.#stop
    const [name, data] = [this.#name, encoded(texts)]
    if (object === undefined) {
      await this.#client.create(
        resourceTypes.secrets,
        { metadata: { namespace, name }, type: 'Opaque', data },
        { signal },
      )
    } else {
      const { resourceVersion } = object.metadata
      const gone = Object.fromEntries(certificateFiles.map(file => [file, null]))
      await this.#client.patch(
        resourceTypes.secrets,
        { namespace, name },
        { metadata: { resourceVersion }, data: { ...gone, ...data } },
        { signal },
      )
    }
    this.#log.info({ secret: `${namespace}/${name}` }, 'certificates of the webhooks were renewed')
  }

  #take(texts: CertificateTexts): void {
    const { 'tls.crt': certificate = '', 'tls.key': key = '' } = texts
    if (this.#current?.certificate === certificate && this.#current.key === key) return
    this.#current = { certificate, key }
    this.#validTo = readCertificates(certificate)[0]?.to
    if (this.#validTo) this.#expiry.set(this.#validTo.getTime() / 1000)
    this.events.emit('certificate:changed', this.#current)
  }

  async #publish(texts: CertificateTexts): Promise<void> {
    const { 'ca.crt': authorities = '' } = texts
    await this.#trust.publish(authorities, this.#stop.signal)
    this.#published = authorities
  }

  #failed(error: unknown): number {
    const failure =
      error instanceof CarillonError
        ? error
        : new CarillonError(
            'API_BAD_ANSWER',
            `cannot keep up certificates: ${String(error)}`,
            {},
            { cause: error },
          )
    if (this.#failing?.error.message !== failure.message) {
      this.#log.warn(
        { code: failure.code, message: failure.message },
        'the certificates of the webhooks cannot be kept up',
      )
    }
    const attempts = (this.#failing?.attempts ?? 0) + 1
    this.#failing = { since: this.#failing?.since ?? this.#clock.date(), attempts, error: failure }
    return Math.min(backOffMs * 2 ** Math.min(attempts - 1, 10), maxBackOffMs)
  }

  #recovered(): void {
    if (!this.#failing) return
    this.#log.info(
      { since: this.#failing.since.toISOString() },
      'the certificates of the webhooks can be kept up again',
    )
    this.#failing = undefined
  }
}

const encoded = (texts: CertificateTexts): Record<string, string> =>
  Object.fromEntries(
    Object.entries(texts).map(([file, text]) => [file, Buffer.from(text, 'utf8').toString('base64')]),
  )

function textsOf(object: KubeObject | undefined): CertificateTexts {
  const data = object?.data
  if (typeof data !== 'object' || data === null) return {}
  const texts: { -readonly [File in keyof CertificateTexts]: CertificateTexts[File] } = {}
  for (const file of certificateFiles) {
    const value = (data as Readonly<Record<string, unknown>>)[file]
    if (typeof value === 'string') texts[file] = Buffer.from(value, 'base64').toString('utf8')
  }
  return texts
}
