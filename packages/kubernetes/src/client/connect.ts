import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Clock, type Metrics, systemClock } from '@carillon/core'
import { adopted, type KubeConfigLike } from './adopted.ts'
import { Client } from './client.ts'
import type { Credentials } from './credentials.ts'
import { HttpTransport } from './http-transport.ts'
import { inCluster } from './in-cluster.ts'
import { kubeconfig } from './kubeconfig.ts'

/** How to reach the API server. With nothing given: as kubectl does, and in a pod by its service account. */
export interface ConnectOptions {
  /** Path of a kubeconfig, or several joined by `:`; or a `KubeConfig` of `@kubernetes/client-node`. */
  readonly kubeconfig?: string | KubeConfigLike
  /** Context of the kubeconfig. */
  readonly context?: string
  /** @default the process's own time */
  readonly clock?: Clock
  /** @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>
  /**
   * Milliseconds within which an answer has to be there.
   * @default 30000
   */
  readonly timeoutMs?: number
  /** @default 'carillon' */
  readonly userAgent?: string
  readonly metrics?: Metrics
}

/** A client, and what its credentials say of where it is. */
export interface Connection {
  readonly client: Client
  /** One's own namespace, where the credentials name one. */
  readonly namespace?: string
}

function find(options: ConnectOptions, clock: Clock): Promise<Credentials> {
  const { kubeconfig: given, context, env = process.env } = options
  const chosen = context === undefined ? {} : { context }
  if (typeof given === 'object') return Promise.resolve(adopted(given, clock))
  if (given !== undefined) return kubeconfig({ clock, path: given, ...chosen })
  if (env.KUBECONFIG) return kubeconfig({ clock, path: env.KUBECONFIG, ...chosen })
  const own = join(homedir(), '.kube', 'config')
  if (!env.KUBERNETES_SERVICE_HOST && existsSync(own)) return kubeconfig({ clock, path: own, ...chosen })
  return inCluster({ clock, env })
}

/**
 * Finds the API server and the credentials for it: what is given, else `KUBECONFIG`, else those of the pod, else `~/.kube/config`.
 * Rejects with `BAD_KUBECONFIG` or `CREDENTIALS_UNAVAILABLE`; whether the server answers is seen with the first request.
 */
export async function connect(options: ConnectOptions = {}): Promise<Connection> {
  const clock = options.clock ?? systemClock
  const credentials = await find(options, clock)
  const { timeoutMs, userAgent, metrics } = options
  const client = new Client({
    transport: new HttpTransport(credentials),
    clock,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    ...(userAgent === undefined ? {} : { userAgent }),
    ...(metrics === undefined ? {} : { metrics }),
  })
  const { namespace } = credentials
  return { client, ...(namespace === undefined ? {} : { namespace }) }
}
