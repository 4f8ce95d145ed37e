import { hostname } from 'node:os'
import { systemNetwork } from '@carillon/sockets'
import { compose } from '../compose.ts'
import { formatEndpoint, parseEndpoint } from '../endpoint.ts'
import type { HttpServer } from '../http/server.ts'
import { type LogFormat, type LogLevel, makeLogger } from '../log.ts'
import type { Terminal } from '../terminal.ts'
import { version } from '../version.ts'

export interface RunOptions {
  readonly manifests: readonly string[]
  readonly node?: string
  readonly http: string
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
  readonly lbClass?: string
  readonly ignoreExcludeLb: boolean
  readonly excludeInterfaces?: readonly string[]
  readonly garpCount?: number
  readonly garpInterval?: number
  readonly garpRefresh?: number
}

/** Milliseconds that a stop may take before the process ends without waiting any longer. */
const stopMs = 1800

/** Runs one node until SIGTERM or SIGINT. Gives the exit code. */
export async function run(options: RunOptions, _terminal: Terminal): Promise<number> {
  const node = options.node ?? hostname()
  const http = options.http === 'off' ? undefined : parseEndpoint('--http', options.http)
  const log = (await makeLogger(options.logLevel, options.logFormat)).child({ node })
  const metrics = (await import('../http/metrics.ts')).prometheusMetrics()
  const { excludeInterfaces, garpCount, garpInterval, garpRefresh } = options
  const speaker = compose({
    node,
    manifests: options.manifests,
    network: systemNetwork(),
    log,
    metrics,
    version,
    ignoreExcludeLb: options.ignoreExcludeLb,
    ...(options.lbClass === undefined ? {} : { loadBalancerClass: options.lbClass }),
    layer2: {
      ...(excludeInterfaces ? { excludeInterfaces } : {}),
      ...(garpCount === undefined ? {} : { rounds: garpCount }),
      ...(garpInterval === undefined ? {} : { roundIntervalMs: garpInterval }),
      ...(garpRefresh === undefined ? {} : { refreshMs: garpRefresh }),
    },
  })
  const stopped = new Promise<NodeJS.Signals>(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal))
  })
  // Before anything is announced: a second speaker, started by mistake, finds the first one's port taken.
  if (http) await (await import('../http/port.ts')).checkPort(http)
  let server: HttpServer | undefined
  try {
    await speaker.start()
    // Announcing comes first; the door for people opens when the addresses are served.
    server = http && (await (await import('../http/server.ts')).serveHttp(http, speaker, metrics))
  } catch (error) {
    // Open sockets would keep the process alive, and answering.
    await speaker[Symbol.asyncDispose]()
    throw error
  }
  log.info(
    { version, manifests: options.manifests, http: server ? formatEndpoint(server.at) : 'off' },
    'speaker running',
  )
  const signal = await stopped
  log.info({ signal }, 'stopping: every address is released')
  const late = setTimeout(() => process.exit(0), stopMs)
  await Promise.allSettled([speaker[Symbol.asyncDispose](), server?.[Symbol.asyncDispose]()])
  clearTimeout(late)
  return 0
}
