import type { Agent, RequestOptions } from 'node:https'
import { CarillonError, type Clock } from '@carillon/core'
import type { Access, Credentials } from './credentials.ts'
import { rereadMs } from './in-cluster.ts'
import { Remembered } from './remembered.ts'

/** What is asked of a `KubeConfig` of `@kubernetes/client-node`, of any version. */
export interface KubeConfigLike {
  getCurrentCluster(): { readonly server: string } | null
  applyToHTTPSOptions(options: RequestOptions): Promise<void>
}

/** The credentials of a `KubeConfig` that a program has made for itself, proxies and authenticators of its own included. */
export function adopted(config: KubeConfigLike, clock: Clock): Credentials {
  const cluster = config.getCurrentCluster()
  if (!cluster)
    throw new CarillonError('BAD_KUBECONFIG', 'the KubeConfig has no current cluster: load it first')
  const read = async (): Promise<Access> => {
    const options: RequestOptions = {}
    await config.applyToHTTPSOptions(options)
    const headers: Record<string, string> = {}
    for (const [name, value] of Object.entries(options.headers ?? {}))
      headers[name.toLowerCase()] = String(value)
    if (typeof options.auth === 'string')
      headers.authorization = `Basic ${Buffer.from(options.auth).toString('base64')}`
    return { headers, tls: {}, agent: options.agent as Agent }
  }
  const access = new Remembered(read, clock, rereadMs)
  return { server: cluster.server, access: () => access.get(), renew: () => access.forget() }
}
