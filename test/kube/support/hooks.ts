import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, emptySnapshot, formatEndpoint, type Snapshot, systemClock } from '@carillon/core'
import { RecordingLogger, RecordingMetrics } from '@carillon/core/testing'
import {
  type Client,
  connect,
  SecretCertificates,
  type SecretCertificatesOptions,
  WebhookServer,
} from '@carillon/kubernetes'

/** How the webhooks of a controller are to be. */
export interface HooksOptions extends Partial<SecretCertificatesOptions> {
  /** Time of the certificates; everything else goes by the real one, since TLS does. */
  readonly clock?: Clock
  readonly source?: { current(): Snapshot }
}

/** The webhooks of one controller, with certificates that it looks after. */
export class Hooks implements AsyncDisposable {
  readonly log: RecordingLogger = new RecordingLogger()
  readonly metrics: RecordingMetrics = new RecordingMetrics()
  readonly client: Client
  readonly certificates: SecretCertificates
  readonly server: WebhookServer
  readonly #folder: string

  private constructor(client: Client, folder: string, namespace: string, options: HooksOptions) {
    const { log, metrics } = this
    this.client = client
    this.#folder = folder
    this.certificates = new SecretCertificates({
      client,
      namespace,
      clock: systemClock,
      log,
      metrics,
      hosts: ['127.0.0.1'],
      ...options,
    })
    this.server = new WebhookServer({
      at: { address: '127.0.0.1', port: 0 },
      source: options.source ?? { current: () => emptySnapshot },
      client,
      namespace,
      certificates: this.certificates,
      clock: systemClock,
      log,
      metrics,
    })
  }

  /** Those of a controller that reaches the API server by a kubeconfig; they do not listen yet. */
  static async prepare(kubeconfig: string, namespace: string, options: HooksOptions = {}): Promise<Hooks> {
    const folder = mkdtempSync(join(tmpdir(), 'hooks-'))
    const path = join(folder, 'kubeconfig')
    writeFileSync(path, kubeconfig)
    const { client } = await connect({ kubeconfig: path })
    return new Hooks(client, folder, namespace, options)
  }

  /** The same, listening. */
  static async start(kubeconfig: string, namespace: string, options: HooksOptions = {}): Promise<Hooks> {
    const hooks = await Hooks.prepare(kubeconfig, namespace, options)
    await hooks.server.start()
    return hooks
  }

  /** Where they are: `https://127.0.0.1:9443`. */
  get url(): string {
    return `https://${formatEndpoint(this.server.local)}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]()
    await this.certificates[Symbol.asyncDispose]()
    await this.client[Symbol.asyncDispose]()
    rmSync(this.#folder, { recursive: true })
  }
}
