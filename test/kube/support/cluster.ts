import { env } from 'node:process'
import { KubeApiServer, type KubeApiServerOptions } from '@carillon/kubernetes/testing'
import { type TestContext, vi } from 'vitest'
import { Api } from './api.ts'
import { startRealCluster } from './real-cluster.ts'

/** A cluster that the conformance suite runs against: the API server for tests, or a real one. */
export interface Cluster extends AsyncDisposable {
  /** With all rights. */
  readonly api: Api
  /** As the user `limited`, who has no role; to be used with the option `authorize`. */
  readonly limited: Api
  /** The API server for tests itself; missing where a real one is tested. */
  readonly server: KubeApiServer | undefined
  /** The configuration of kubectl and other clients, with all rights. */
  kubeconfig(): string
  /** A new namespace, for one test. */
  namespace(): Promise<string>
  /** Leaves out a test of what came with Kubernetes 1.`minor`, where the cluster is a real one that is older. */
  since(minor: number, context: TestContext): void
}

// A real one takes its time to start, and to take notice of a webhook.
if (env.KUBEBUILDER_ASSETS !== undefined) vi.setConfig({ hookTimeout: 120_000, testTimeout: 60_000 })

let namespaces = 0

/** The API server for tests; or, where KUBEBUILDER_ASSETS names the folder with their programs, a real one with etcd. */
export async function startCluster(options: KubeApiServerOptions = {}): Promise<Cluster> {
  const folder = env.KUBEBUILDER_ASSETS
  const { access, limited, server, kubeconfig, stop } =
    folder === undefined
      ? await startOurs(options)
      : await startRealCluster(folder, options.serviceCidrs ?? ['10.96.0.0/16'])
  const api = new Api(access)
  const version = await api.get('/version')
  return {
    api,
    limited: new Api({ ...access, token: limited }),
    server,
    kubeconfig,
    async namespace() {
      namespaces++
      const name = `test-${process.pid}-${namespaces}`
      // Kubernetes before 1.21 does not label it by itself.
      const labels = { 'kubernetes.io/metadata.name': name }
      await api.post('/api/v1/namespaces', { metadata: { name, labels } })
      return name
    },
    since(minor, context) {
      const has = Number.parseInt(version.minor, 10)
      context.skip(has < minor, `came with Kubernetes 1.${minor}; this is 1.${has}`)
    },
    [Symbol.asyncDispose]: stop,
  }
}

async function startOurs(options: KubeApiServerOptions) {
  const server = await KubeApiServer.start(options)
  const ca = server.authority?.certificate
  const known = options.authorize === true
  return {
    access: {
      url: server.url,
      ...(ca === undefined ? {} : { ca }),
      ...(known ? { token: server.token({ name: 'admin', groups: ['system:masters'] }) } : {}),
    },
    limited: server.token({ name: 'limited', groups: [] }),
    server,
    kubeconfig: () => server.kubeconfig(),
    stop: () => server.stop(),
  }
}
