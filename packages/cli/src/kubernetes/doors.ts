import type { Endpoint } from '@carillon/core'
import { parseEndpoint } from '../endpoint.ts'
import { anyAddress } from '../http/any-address.ts'
import type { PrometheusMetrics } from '../http/metrics.ts'
import type { Served } from '../http/served.ts'
import type { HttpServer } from '../http/server.ts'
import type { SecureMetricsOptions, SecureMetricsParts } from './secure-metrics.ts'

/** Where a process of the cluster serves HTTP. */
export interface DoorOptions extends SecureMetricsOptions {
  readonly http: string
  /** MetalLB's port for metrics, on all addresses; 0: none. */
  readonly port?: number
  /** MetalLB's port for probes. */
  readonly healthProbePort?: number
}

/**
 * Opens every door that is asked for, each once. Throws `USAGE` and `PORT_IN_USE`, and what secure metrics throw.
 *
 * @param probes where probes are answered: on all addresses, or to this node alone
 * @param parts what it takes to ask the API server who may have metrics
 */
export async function openDoors(
  options: DoorOptions,
  probes: 'everywhere' | 'loopback',
  served: Served,
  metrics: PrometheusMetrics,
  parts: Omit<SecureMetricsParts, 'metrics'>,
): Promise<readonly HttpServer[]> {
  const { http, port = 0, healthProbePort, secureMetricsPort = 0 } = options
  const wanted = new Map<string, Endpoint>()
  const add = (at: Endpoint): void => {
    wanted.set(`${at.address} ${at.port}`, at)
  }
  if (http !== 'off') add(parseEndpoint('--http', http))
  const everywhere = await anyAddress()
  if (port > 0) add({ address: everywhere, port })
  if (healthProbePort !== undefined)
    add({ address: probes === 'everywhere' ? everywhere : '127.0.0.1', port: healthProbePort })
  const { serveHttp } = await import('../http/server.ts')
  const open: HttpServer[] = []
  try {
    for (const at of wanted.values()) open.push(await serveHttp(at, served, metrics))
    if (secureMetricsPort > 0) {
      const { serveSecureMetrics } = await import('./secure-metrics.ts')
      const at = { address: everywhere, port: secureMetricsPort }
      open.push(await serveSecureMetrics(at, options, { ...parts, metrics }))
    }
  } catch (error) {
    await Promise.allSettled(open.map(one => one[Symbol.asyncDispose]()))
    throw error
  }
  return open
}
