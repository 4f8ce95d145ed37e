import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CarillonError, type Clock, formatEndpoint } from '@carillon/core'
import { sharedAccess } from './access.ts'
import type { Access, Credentials } from './credentials.ts'
import { Remembered } from './remembered.ts'

/** Where a pod finds its credentials. */
const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount'

/** Milliseconds after which files are read again: tokens live for ten minutes at least, and are replaced at four fifths of that. */
export const rereadMs = 60_000

/** Reads a file of credentials; what is wrong is said without what is in it. */
export async function readCredential(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const errno = (cause as NodeJS.ErrnoException).code
    throw new CarillonError(
      'CREDENTIALS_UNAVAILABLE',
      `cannot read ${path}: ${errno === 'ENOENT' ? 'there is no such file' : (errno ?? String(cause))}`,
      { path, errno },
      { cause },
    )
  }
}

/** What in-cluster credentials are read from. */
export interface InClusterOptions {
  readonly clock: Clock
  readonly env: Readonly<Record<string, string | undefined>>
  /** @default '/var/run/secrets/kubernetes.io/serviceaccount' */
  readonly path?: string
}

/**
 * The credentials that Kubernetes gives a pod: its service account's token, replaced by the kubelet all the time, and the
 * certificate authority. Rejects with `CREDENTIALS_UNAVAILABLE` outside of a pod.
 */
export async function inCluster({ clock, env, path = mountPath }: InClusterOptions): Promise<Credentials> {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env
  if (!host || !port || !/^\d+$/.test(port)) {
    throw new CarillonError(
      'CREDENTIALS_UNAVAILABLE',
      'this is no pod of Kubernetes (KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set): name a kubeconfig',
    )
  }
  const namespace = await readFile(join(path, 'namespace'), 'utf8').then(
    text => text.trim(),
    () => '',
  )
  const read = async (before: Access | undefined): Promise<Access> => {
    const [token, ca] = await Promise.all([
      readCredential(join(path, 'token')),
      readCredential(join(path, 'ca.crt')),
    ])
    return sharedAccess(before, { headers: { authorization: `Bearer ${token.trim()}` }, tls: { ca } })
  }
  const access = new Remembered(read, clock, rereadMs)
  await access.get()
  return {
    server: `https://${formatEndpoint({ address: host, port: Number(port) })}`,
    ...(namespace === '' ? {} : { namespace }),
    access: () => access.get(),
    renew: () => access.forget(),
  }
}
