import { readFile } from 'node:fs/promises'
import { CarillonError, type Metrics } from '@carillon/core'
import {
  type Client,
  type Connection,
  connect,
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

/** What a process of the cluster has. */
export interface Pod {
  readonly client: Client
  /** The namespace of the resources, and of this process. */
  readonly namespace: string
  /** This process's Pod, which the objects that it makes go along with; absent outside of a pod. */
  readonly owner?: OwnerReference
}

/** Finds the API server, the namespace, and the Pod of this process. Throws `USAGE` without a namespace, and what the client throws. */
export async function findPod(options: PodOptions, metrics: Metrics): Promise<Pod> {
  const connection: Connection = await connect({
    userAgent: `carillon/${version}`,
    metrics,
    ...(options.kubeconfig === undefined ? {} : { kubeconfig: options.kubeconfig }),
  })
  const { client } = connection
  const namespace = options.namespace ?? connection.namespace
  if (namespace === undefined || namespace === '') {
    throw new CarillonError(
      'USAGE',
      'the namespace is not known: give --namespace (or METALLB_NAMESPACE), the one that holds the metallb.io resources',
    )
  }
  const { podName } = options
  if (podName === undefined) return { client, namespace }
  const { metadata } = await client.get(resourceTypes.pods, { namespace, name: podName })
  if (metadata.uid === undefined) return { client, namespace }
  return { client, namespace, owner: { apiVersion: 'v1', kind: 'Pod', name: podName, uid: metadata.uid } }
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
