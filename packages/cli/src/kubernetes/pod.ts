import { readFile } from 'node:fs/promises'
import { CarillonError, type Clock, type Logger, type Metrics } from '@carillon/core'
import {
  type Client,
  type Connection,
  connect,
  type KubeObject,
  type ObjectName,
  type OwnerReference,
  resourceTypes,
} from '@carillon/kubernetes'
import { version } from '../version.ts'

/** Where a process of the cluster finds the API server, and itself; flags first, then MetalLB's environment. */
export interface PodOptions {
  readonly kubeconfig?: string
  readonly namespace?: string
  readonly podName?: string
}

/** What a process of the cluster works with. */
export interface Access {
  readonly client: Client
  /** The namespace of the resources, and of this process. */
  readonly namespace: string
}

/** What is around a process while it looks for itself. */
export interface PodSurroundings {
  readonly clock: Clock
  readonly log: Logger
  /** Resolves when this process is to stop. */
  readonly stopped: Promise<unknown>
  /** Told why it takes long; for /readyz. */
  readonly waiting: (message: string) => void
}

/** What became of the look for one's own Pod. */
export interface Found {
  /** This process's Pod, which the objects that it makes go along with; absent outside of a pod. */
  readonly owner?: OwnerReference
}

/** The API server is away, or asks to come back: it will pass. */
const passing: ReadonlySet<string> = new Set(['API_UNREACHABLE', 'API_TIMEOUT', 'API_BUSY', 'API_FAILED'])

/** Milliseconds from one attempt to the next. */
const againMs = 1000

/** How to get to the API server, and the namespace; asks nobody yet. Throws `USAGE` without a namespace, and what `connect` throws. */
export async function findAccess(options: PodOptions, metrics: Metrics): Promise<Access> {
  const connection: Connection = await connect({
    userAgent: `carillon/${version}`,
    metrics,
    ...(options.kubeconfig === undefined ? {} : { kubeconfig: options.kubeconfig }),
  })
  const namespace = options.namespace ?? connection.namespace
  if (namespace === undefined || namespace === '') {
    throw new CarillonError(
      'USAGE',
      'the namespace is not known: give --namespace (or METALLB_NAMESPACE), the one that holds the metallb.io resources',
    )
  }
  return { client: connection.client, namespace }
}

/**
 * Finds the Pod of this process; waits for the API server where it is away. Gives nothing when the process is to stop meanwhile. Throws
 * what the client throws.
 */
export async function findPod(
  { client, namespace }: Access,
  name: string | undefined,
  surroundings: PodSurroundings,
): Promise<Found | undefined> {
  if (name === undefined) return {}
  const pod = await lookUp(client, { namespace, name }, surroundings)
  if (!pod) return undefined
  const { uid } = pod.metadata
  return uid === undefined ? {} : { owner: { apiVersion: 'v1', kind: 'Pod', name, uid } }
}

async function lookUp(
  client: Client,
  pod: ObjectName,
  { clock, log, stopped, waiting }: PodSurroundings,
): Promise<KubeObject | undefined> {
  const stop = new AbortController()
  void stopped.then(() => stop.abort())
  for (let told = false; !stop.signal.aborted; told = true) {
    try {
      return await client.get(resourceTypes.pods, pod, { signal: stop.signal })
    } catch (error) {
      if (stop.signal.aborted) break
      if (!(error instanceof CarillonError) || !passing.has(error.code)) throw error
      if (!told) log.warn({ code: error.code, message: error.message }, 'waiting for the API server')
      waiting(error.message)
      await new Promise<void>(resolve => {
        const cancel = clock.after(againMs, resolve)
        void stopped.then(() => {
          cancel()
          resolve()
        })
      })
    }
  }
  return undefined
}

/** The text of a file that may be there or not; other failures are thrown as `USAGE`. */
export async function optionalFile(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined
    throw new CarillonError('USAGE', `cannot read ${path}: ${errno}`, { path, errno }, { cause: error })
  }
}
