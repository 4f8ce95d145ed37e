import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock, Logger, Metrics, Snapshot } from '@carillon/core'
import {
  type Certificates,
  type Client,
  MountedCertificates,
  SecretCertificates,
  WebhookServer,
} from '@carillon/kubernetes'
import { tlsOptions } from './secure-metrics.ts'

/** MetalLB's flags for its webhooks. */
export interface WebhookOptions {
  /** `onlywebhook`: nothing is allocated by this process. */
  readonly webhookMode: 'enabled' | 'disabled' | 'onlywebhook'
  /** Ours: what becomes of changes while no webhook answers. */
  readonly webhookFailurePolicy: 'Fail' | 'Ignore'
  readonly webhookPort: number
  readonly webhookSecret: string
  readonly certServiceName: string
  readonly certDir: string
  readonly disableCertRotation: boolean
  readonly tlsMinVersion?: string
  readonly tlsCipherSuites?: readonly string[]
  readonly tlsCurvePreferences?: readonly string[]
}

interface WebhookParts {
  readonly client: Client
  readonly namespace: string
  /** Where to listen. */
  readonly address: string
  readonly source: { current(): Snapshot }
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
}

/** The webhooks of a controller and the certificates that they show. */
export interface Webhooks extends AsyncDisposable {
  readonly certificates: Certificates
  /** Whether they can be called. */
  readonly listening: boolean
}

/** Milliseconds between attempts to begin. */
const retryMs = 5000

/**
 * Serves the webhooks, as soon as there are certificates to show: those of the mounted folder where rotation is disabled or certificates lie
 * there, else self-made ones. Until then, and whenever something is in the way, the log says so; nothing else waits for it.
 */
export function serveWebhooks(options: WebhookOptions, parts: WebhookParts): Webhooks {
  const { client, namespace, clock, log, metrics } = parts
  const { certDir } = options
  const mounted = options.disableCertRotation || existsSync(join(certDir, 'tls.crt'))
  const certificates: Certificates = mounted
    ? new MountedCertificates({ folder: certDir, clock, log })
    : new SecretCertificates({
        client,
        namespace,
        clock,
        log,
        metrics,
        secret: options.webhookSecret,
        service: options.certServiceName,
        webhooks: {
          namespace,
          service: options.certServiceName,
          failurePolicy: options.webhookFailurePolicy,
        },
      })
  const server = new WebhookServer({
    ...parts,
    at: { address: parts.address, port: options.webhookPort },
    certificates,
    tls: tlsOptions(options),
  })
  let [listening, closed] = [false, false]
  let cancel: (() => void) | undefined
  const begin = async (): Promise<void> => {
    try {
      await server.start()
      listening = true
    } catch (error) {
      if (closed) return
      log.error({ err: error }, 'the webhooks cannot be served')
      cancel = clock.after(retryMs, () => void begin())
    }
  }
  void begin()
  return {
    certificates,
    get listening() {
      return listening
    },
    async [Symbol.asyncDispose]() {
      closed = true
      cancel?.()
      await Promise.allSettled([server[Symbol.asyncDispose](), certificates[Symbol.asyncDispose]()])
    },
  }
}
