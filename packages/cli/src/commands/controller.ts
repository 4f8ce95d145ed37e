import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { systemClock } from '@carillon/core'
import {
  Controller,
  ensureMemberlistSecret,
  KubernetesSource,
  LeaderElection,
  type OwnerReference,
  resourceTypes,
} from '@carillon/kubernetes'
import { anyAddress } from '../http/any-address.ts'
import type { Served } from '../http/served.ts'
import { parseClass } from '../kubernetes/classes.ts'
import { type DoorOptions, openDoors } from '../kubernetes/doors.ts'
import { type Access, findAccess, type PodOptions } from '../kubernetes/pod.ts'
import { type Starting, startInPod } from '../kubernetes/start-in-pod.ts'
import { serveWebhooks, type WebhookOptions } from '../kubernetes/webhooks.ts'
import { type LogFormat, type LogLevel, makeLogger } from '../log.ts'
import { stopInTime, stopSignal } from '../stop.ts'
import { version } from '../version.ts'

export interface ControllerCommandOptions extends PodOptions, DoorOptions, WebhookOptions {
  readonly logLevel: LogLevel
  readonly logFormat: LogFormat
  readonly lbClass?: string
  readonly mlSecretName?: string
  readonly deployment?: string
}

/** Name of the Lease by which the controllers agree on who decides. */
const leaseName = 'carillon-controller'

/** What costs much is about thousands of Services: most of the time goes into writing what was decided, and one of them is not hurried. */
const rest = (costMs: number): number => 9 * costMs * Math.max(1, costMs / 10)

/** Milliseconds between attempts to make the Secret of the gossip. */
const secretRetryMs = 5000

/** Runs a controller until SIGTERM or SIGINT. Gives the exit code. */
export async function controller(options: ControllerCommandOptions): Promise<number> {
  const identity = `${options.podName ?? hostname()}_${randomUUID()}`
  const log = (await makeLogger(options.logLevel, options.logFormat)).child({ process: 'controller' })
  const metrics = (await import('../http/metrics.ts')).prometheusMetrics()
  const stopped = stopSignal()
  const access = await findAccess(options, metrics)
  const common = { ...access, clock: systemClock, random: Math.random, log, metrics }
  const source = new KubernetesSource({ ...common, kinds: ['services', 'namespaces', 'pools'], rest })
  const election = new LeaderElection({ ...common, name: leaseName, identity })
  let one: Controller | undefined
  let starting: Starting | undefined
  const served: Served = {
    readiness: () => {
      if (!one) return { ready: false, waiting: starting?.waiting }
      const { configuration, problems, source: followed, writers } = one.status()
      const certificates = webhooks?.certificates.status()
      // The Service of the webhooks leads to those that are ready.
      const ready = followed.synced && webhooks?.listening !== false
      return { ready, configuration, problems, source: followed, writers, certificates }
    },
    status: () => ({ version, identity, ...(one ? one.status() : { waiting: starting?.waiting }) }),
  }
  const { webhookMode } = options
  const webhooks =
    webhookMode === 'disabled'
      ? undefined
      : serveWebhooks(options, { ...common, source, address: await anyAddress() })
  // Open from the start: whoever asks is told that the cluster is not known yet.
  const doors = await openDoors(options, 'everywhere', served, metrics, common)
  const makeSecret = secretMaker(access, options, message =>
    log.warn({ message }, 'the Secret of the gossip'),
  )
  makeSecret.start()
  starting = startInPod(access, options.podName, { clock: systemClock, log, stopped }, async pod => {
    one = new Controller({ ...common, ...pod, source, election, ...parseClass(options.lbClass) })
    await (webhookMode === 'onlywebhook' ? source.start() : one.start())
    log.info({ version, identity, namespace: access.namespace }, 'controller running')
  })
  try {
    const signal = await Promise.race([stopped, starting.failed])
    log.info({ signal }, 'stopping: another controller may lead')
  } finally {
    starting.stop()
    await stopInTime(async () => {
      makeSecret.stop()
      await one?.[Symbol.asyncDispose]()
      await Promise.allSettled([source[Symbol.asyncDispose](), election[Symbol.asyncDispose]()])
      await Promise.allSettled([
        webhooks?.[Symbol.asyncDispose](),
        ...doors.map(door => door[Symbol.asyncDispose]()),
      ])
      await access.client[Symbol.asyncDispose]()
    })
  }
  return 0
}

interface SecretMaker {
  start(): void
  stop(): void
}

/** Makes the Secret that the speakers wait for, whoever leads; tries until it is there. */
function secretMaker(
  access: Access,
  { mlSecretName: name, deployment }: ControllerCommandOptions,
  warn: (message: string) => void,
): SecretMaker {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const attempt = async (): Promise<void> => {
    const { client, namespace } = access
    if (name === undefined) return
    try {
      const owner = deployment === undefined ? undefined : await deploymentOf(access, deployment)
      await ensureMemberlistSecret({ client, namespace, name, ...(owner ? { owner } : {}) })
    } catch (error) {
      if (stopped) return
      warn((error as Error).message)
      timer = setTimeout(() => void attempt(), secretRetryMs)
    }
  }
  return {
    start: () => void attempt(),
    stop: () => {
      stopped = true
      clearTimeout(timer)
    },
  }
}

async function deploymentOf(
  { client, namespace }: Access,
  name: string,
): Promise<OwnerReference | undefined> {
  const { metadata } = await client.get(resourceTypes.deployments, { namespace, name })
  const { uid } = metadata
  return uid === undefined ? undefined : { apiVersion: 'apps/v1', kind: 'Deployment', name, uid }
}
