import { hostname } from 'node:os'
import {
  type Endpoint,
  formatEndpoint,
  type Logger,
  ManifestSource,
  type Metrics,
  manifestsOnDisk,
  type Network,
  type Source,
  type Speaker,
  systemClock,
} from '@carillon/core'
import type { ProfileName } from '@carillon/gossip'
import { systemNetwork } from '@carillon/sockets'
import { Cluster } from '../cluster.ts'
import { compose } from '../compose.ts'
import { parseEndpoint } from '../endpoint.ts'
import { handOver } from '../hand-over.ts'
import { servedBy } from '../http/served.ts'
import type { HttpServer } from '../http/server.ts'
import { type LogFormat, type LogLevel, makeLogger } from '../log.ts'
import type { Feed } from '../page/feed.ts'
import { Timeline } from '../page/timeline.ts'
import { PasswordFiles } from '../password-files.ts'
import { PasswordSource } from '../password-source.ts'
import { stopInTime, stopSignal } from '../stop.ts'
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
  readonly gossipBind: string
  readonly gossipAdvertise?: string
  readonly gossipJoin?: readonly string[]
  readonly gossipKeyFile?: string
  readonly gossipLabel?: string
  readonly gossipConfig?: string
  readonly gossipProfile: ProfileName
  readonly whenIsolated: 'announce' | 'silent'
  readonly holdDown?: number
  readonly sticky: boolean
  readonly bgpListen?: string
  readonly bgpPasswordFile?: readonly string[]
}

/** Runs one node until SIGTERM or SIGINT. Gives the exit code. */
export async function run(options: RunOptions, _terminal: Terminal): Promise<number> {
  const node = options.node ?? hostname()
  const http = options.http === 'off' ? undefined : parseEndpoint('--http', options.http)
  const log = (await makeLogger(options.logLevel, options.logFormat)).child({ node })
  const listen =
    options.bgpListen === undefined ? undefined : parseEndpoint('--bgp-listen', options.bgpListen, 179)
  const source = sourceOf(options)
  const metrics = (await import('../http/metrics.ts')).prometheusMetrics()
  const { excludeInterfaces, garpCount, garpInterval, garpRefresh } = options
  const network = systemNetwork()
  const speaks = (cluster: Cluster): Speaker =>
    compose({
      node,
      source,
      standalone: true,
      network,
      log,
      metrics,
      version,
      membership: cluster,
      whenIsolated: options.whenIsolated,
      ...(options.holdDown === undefined ? {} : { holdDownMs: options.holdDown }),
      ...(options.sticky ? { sticky: cluster } : {}),
      ignoreExcludeLb: options.ignoreExcludeLb,
      ...(listen && { bgp: { listen } }),
      ...(options.lbClass === undefined ? {} : { loadBalancerClass: options.lbClass }),
      layer2: {
        ...(excludeInterfaces ? { excludeInterfaces } : {}),
        ...(garpCount === undefined ? {} : { rounds: garpCount }),
        ...(garpInterval === undefined ? {} : { roundIntervalMs: garpInterval }),
        ...(garpRefresh === undefined ? {} : { refreshMs: garpRefresh }),
      },
    })
  const stopped = stopSignal()
  // Before anything is announced: a second speaker, started by mistake, finds the first one's port taken.
  if (http) await (await import('../http/port.ts')).checkPort(http)
  const cluster = await clusterOf(node, network, options, log, metrics)
  const speaker = speaks(cluster)
  const timeline = Timeline.of(speaker)
  let feed: Feed
  let server: HttpServer | undefined
  try {
    await speaker.start()
    // Announcing comes first; what people look at is loaded, and its door opens, when the addresses are served.
    feed = (await import('../page/open-feed.ts')).openFeed({ speaker, timeline, cluster, metrics })
    server =
      http &&
      (await (await import('../http/server.ts')).serveHttp(http, servedBy(speaker, undefined, feed), metrics))
  } catch (error) {
    // Open sockets would keep the process alive, and answering.
    await Promise.allSettled([speaker[Symbol.asyncDispose](), cluster[Symbol.asyncDispose]()])
    throw error
  }
  log.info(
    { version, manifests: options.manifests, http: server ? formatEndpoint(server.at) : 'off' },
    'speaker running',
  )
  const signal = await stopped
  log.info({ signal }, 'stopping: every address is handed over')
  await stopInTime(async () => {
    await handOver(speaker, cluster)
    feed[Symbol.dispose]()
    await Promise.allSettled([cluster[Symbol.asyncDispose](), server?.[Symbol.asyncDispose]()])
  })
  return 0
}

/** The manifests, and beside them the passwords of BGP peers where these are in files. Throws `USAGE`. */
function sourceOf({ manifests, bgpPasswordFile = [] }: RunOptions): Source {
  const source = new ManifestSource({ files: manifestsOnDisk(manifests), clock: systemClock })
  if (bgpPasswordFile.length === 0) return source
  return new PasswordSource(source, new PasswordFiles(bgpPasswordFile), {
    clock: systemClock,
    watch: (paths, changed) => manifestsOnDisk(paths).watch(changed),
  })
}

function clusterOf(
  node: string,
  network: Network,
  options: RunOptions,
  log: Logger,
  metrics: Metrics,
): Promise<Cluster> {
  const {
    gossipBind,
    gossipAdvertise,
    gossipJoin = [],
    gossipKeyFile,
    gossipLabel,
    gossipConfig,
    gossipProfile,
  } = options
  return Cluster.prepare({
    node,
    network,
    log,
    metrics,
    bind: parseEndpoint('--gossip-bind', gossipBind, 7946),
    join: gossipJoin,
    profile: gossipProfile,
    ...(gossipAdvertise === undefined ? {} : { advertise: advertised(gossipAdvertise) }),
    ...(gossipKeyFile === undefined ? {} : { keyFile: gossipKeyFile }),
    ...(gossipLabel === undefined ? {} : { label: gossipLabel }),
    ...(gossipConfig === undefined ? {} : { config: gossipConfig }),
  })
}

/** Without a port it is the one that is bound. */
function advertised(text: string): Partial<Endpoint> {
  const { address, port } = parseEndpoint('--gossip-advertise', text, 0)
  return port === 0 ? { address } : { address, port }
}
