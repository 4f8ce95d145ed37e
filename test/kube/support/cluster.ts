import { env } from 'node:process'
import { KubeApiServer, type KubeApiServerOptions } from '@carillon/kubernetes/testing'
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
}

let namespaces = 0

/** The API server for tests; or, where KUBEBUILDER_ASSETS names the folder with their programs, a real one with etcd. */
export async function startCluster(options: KubeApiServerOptions = {}): Promise<Cluster> {
  const folder = env.KUBEBUILDER_ASSETS
  const { access, limited, server, kubeconfig, stop } =
    folder === undefined
      ? await startOurs(options)
      : await startRealCluster(folder, options.serviceCidrs ?? ['10.96.0.0/16'])
  const api = new Api(access)
  return {
    api,
    limited: new Api({ ...access, token: limited }),
    server,
    kubeconfig,
    async namespace() {
      namespaces++
      const name = `test-${process.pid}-${namespaces}`
      await api.post('/api/v1/namespaces', { metadata: { name } })
      return name
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
