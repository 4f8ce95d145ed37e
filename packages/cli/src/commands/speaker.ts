import { isIPv6 } from 'node:net'
import { hostname } from 'node:os'
import { join } from 'node:path'
import {
  CarillonError,
  type Endpoint,
  type Logger,
  type Metrics,
  type Network,
  systemClock,
} from '@carillon/core'
import type { ProfileName } from '@carillon/gossip'
import { KubernetesSource, PodPeers, type SourceStatus, SpeakerReporter } from '@carillon/kubernetes'
import { systemNetwork } from '@carillon/sockets'
import { Cluster } from '../cluster.ts'
import { compose } from '../compose.ts'
import { parseEndpoint } from '../endpoint.ts'
import { handOver } from '../hand-over.ts'
import { servedBy } from '../http/served.ts'
import { parseClass } from '../kubernetes/classes.ts'
import { type DoorOptions, openDoors } from '../kubernetes/doors.ts'
import { excludedInterfaces } from '../kubernetes/excluded-interfaces.ts'
import { type Access, findAccess, optionalFile, type PodOptions } from '../kubernetes/pod.ts'
import { type Starting, startInPod } from '../kubernetes/start-in-pod.ts'
import { type LogFormat, type LogLevel, makeLogger } from '../log.ts'
import type { SourceTrouble } from '../page/attention.ts'
import { openFeed } from '../page/open-feed.ts'
import { Timeline } from '../page/timeline.ts'
import { stopInTime, stopSignal } from '../stop.ts'
import { version } from '../version.ts'

export interface SpeakerCommandOptions extends PodOptions, DoorOptions {
  readonly nodeName?: string
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
  readonly lbClass?: string
  readonly ignoreExcludeLb: boolean
  readonly excludeInterfaces?: readonly string[]
  readonly garpCount?: number
  readonly garpInterval?: number
  readonly garpRefresh?: number
  readonly mlBindaddr?: string
  readonly mlBindport?: string
  readonly mlLabels?: string
  readonly mlSecretKeyPath?: string
  readonly mlWanConfig: boolean
  readonly gossipProfile?: ProfileName
  readonly gossipLabel?: string
  readonly whenIsolated: 'announce' | 'silent'
  readonly holdDown?: number
  readonly sticky: boolean
  readonly bgpListen?: string
}

/** Where MetalLB's optional ConfigMap with gossip settings is mounted. */
const memberlistFile = '/etc/metallb/memberlist/config.json'

/** The file of MetalLB's Secret with the gossip's key. */
const secretFile = 'secretkey'

/** Runs the speaker of one node of a Kubernetes cluster until SIGTERM or SIGINT. Gives the exit code. */
export async function speaker(options: SpeakerCommandOptions): Promise<number> {
  const node = options.nodeName ?? hostname()
  const log = (await makeLogger(options.logLevel, options.logFormat)).child({ node })
  const metrics = (await import('../http/metrics.ts')).prometheusMetrics()
  const stopped = stopSignal()
  const listen =
    options.bgpListen === undefined ? undefined : parseEndpoint('--bgp-listen', options.bgpListen, 179)
  const excluded = options.excludeInterfaces ?? (await excludedInterfaces())
  const network = systemNetwork()
  const access = await findAccess(options, metrics)
  const common = { ...access, clock: systemClock, random: Math.random }
  const source = new KubernetesSource({ ...common, log, metrics })
  const gossip = await gossipOf({ node, network, log, metrics, access, options })
  const { garpCount, garpInterval, garpRefresh } = options
  const one = compose({
    node,
    source,
    standalone: false,
    assignments: 'adopt',
    network,
    log,
    metrics,
    version,
    ...(gossip && { membership: gossip.cluster }),
    whenIsolated: options.whenIsolated,
    ...(options.holdDown === undefined ? {} : { holdDownMs: options.holdDown }),
    ...(options.sticky && gossip ? { sticky: gossip.cluster } : {}),
    ignoreExcludeLb: options.ignoreExcludeLb,
    ...parseClass(options.lbClass),
    ...(listen && { bgp: { listen } }),
    layer2: {
      ...(excluded ? { excludeInterfaces: excluded } : {}),
      ...(garpCount === undefined ? {} : { rounds: garpCount }),
      ...(garpInterval === undefined ? {} : { roundIntervalMs: garpInterval }),
      ...(garpRefresh === undefined ? {} : { refreshMs: garpRefresh }),
    },
  })
  const feed = openFeed({
    speaker: one,
    timeline: Timeline.of(one),
    metrics,
    trouble: () => sourceTrouble(source.status()),
    ...(gossip && { cluster: gossip.cluster }),
  })
  let reporter: SpeakerReporter | undefined
  let starting: Starting | undefined
  const more = (): object => ({
    source: source.status(),
    writers: reporter?.status() ?? [],
    waiting: starting?.waiting,
  })
  const served = servedBy(one, more, feed)
  // Open from the start: whoever asks is told that the cluster is not known yet.
  const doors = await openDoors(options, 'loopback', served, metrics, { ...access, clock: systemClock, log })
  const surroundings = { clock: systemClock, log, stopped }
  starting = startInPod(access, options.podName, surroundings, async pod => {
    reporter = new SpeakerReporter({ ...common, ...pod, speaker: one, source, log, metrics })
    reporter.start()
    await one.start()
    log.info({ version, namespace: access.namespace }, 'speaker running')
  })
  try {
    const signal = await Promise.race([stopped, starting.failed])
    log.info({ signal }, 'stopping: every address is handed over')
  } finally {
    starting.stop()
    await stopInTime(async () => {
      await gossip?.peers[Symbol.asyncDispose]()
      await handOver(one, gossip?.cluster)
      feed[Symbol.dispose]()
      await Promise.allSettled([
        gossip?.cluster[Symbol.asyncDispose](),
        reporter?.[Symbol.asyncDispose](),
        ...doors.map(door => door[Symbol.asyncDispose]()),
      ])
      await access.client[Symbol.asyncDispose]()
    })
  }
  return 0
}

/** What cannot be read of the cluster, in words. */
function sourceTrouble({ failingSince, kinds }: SourceStatus): SourceTrouble | undefined {
  if (failingSince === undefined) return undefined
  const failing = kinds.flatMap(({ failing }) => failing?.error.message ?? [])
  return { since: failingSince, message: failing[0] ?? 'it does not answer' }
}

interface GossipParts {
  readonly node: string
  readonly network: Network
  readonly log: Logger
  readonly metrics: Metrics
  readonly access: Access
  readonly options: SpeakerCommandOptions
}

interface Gossiping {
  readonly cluster: Cluster
  readonly peers: PodPeers
}

/** The gossip with the other speakers: on when their labels and an address to bind are known, as with MetalLB. */
async function gossipOf(parts: GossipParts): Promise<Gossiping | undefined> {
  const { node, network, log, metrics, access, options } = parts
  const { mlLabels: labels, mlBindaddr: address } = options
  if (!labels || !address) {
    log.warn({}, 'no gossip: give --ml-labels and --ml-bindaddr; until then Kubernetes says which nodes live')
    return undefined
  }
  const bind = bindOf(address, options.mlBindport)
  const { client, namespace } = access
  let cluster: Cluster | undefined
  const random = Math.random
  let found: readonly string[] = []
  const peers = new PodPeers({ client, namespace, labels, clock: systemClock, random, log }, addresses => {
    found = addresses.filter(one => one !== address)
    cluster?.join(found)
  })
  const { mlSecretKeyPath, gossipLabel } = options
  const config = (await optionalFile(memberlistFile)) === undefined ? undefined : memberlistFile
  cluster = await Cluster.prepare({
    node,
    network,
    log,
    metrics,
    bind,
    join: [],
    takesPart: true,
    discover: async () => {
      await peers.start()
      return found
    },
    profile: options.gossipProfile ?? (options.mlWanConfig ? 'wan' : 'fast'),
    ...(mlSecretKeyPath === undefined ? {} : { keyFile: join(mlSecretKeyPath, secretFile) }),
    ...(gossipLabel === undefined ? {} : { label: gossipLabel }),
    ...(config === undefined ? {} : { config }),
  })
  return { cluster, peers }
}

function bindOf(address: string, port: string | undefined): Endpoint {
  const number = port === undefined || port === '' ? 7946 : Number(port)
  if (!Number.isInteger(number) || number < 1 || number > 65535)
    throw new CarillonError('USAGE', `--ml-bindport ${port}: give a port from 1 to 65535`)
  return parseEndpoint('--ml-bindaddr', isIPv6(address) ? `[${address}]:${number}` : `${address}:${number}`)
}
