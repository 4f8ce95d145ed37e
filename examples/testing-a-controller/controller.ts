import { CoreV1Api, type KubeConfig, setHeaderOptions, type V1Service, Watch } from '@kubernetes/client-node'

const mergePatch = setHeaderOptions('Content-Type', 'application/merge-patch+json')

/** A controller as you might have one: it gives every Service of type LoadBalancer the next address of a list. */
export async function run(config: KubeConfig, addresses: string[], signal: AbortSignal): Promise<void> {
  const core = config.makeApiClient(CoreV1Api)
  const give = async ({ metadata, spec, status }: V1Service): Promise<void> => {
    if (spec?.type !== 'LoadBalancer' || (status?.loadBalancer?.ingress ?? []).length > 0) return
    const ip = addresses.shift()
    const { name = '', namespace = '' } = metadata ?? {}
    const body = { status: { loadBalancer: { ingress: [{ ip }] } } }
    await core.patchNamespacedServiceStatus({ name, namespace, body }, mergePatch)
  }
  while (!signal.aborted) {
    const list = await core.listServiceForAllNamespaces()
    for (const service of list.items) await give(service)
    const query = { resourceVersion: list.metadata?.resourceVersion }
    // Whatever ends the watch, the next list shows what was missed.
    await new Promise<void>(resolve => {
      void new Watch(config)
        .watch(
          '/api/v1/services',
          query,
          (type, service: V1Service) => void (type === 'ADDED' && give(service)),
          () => resolve(),
        )
        .then(request => {
          if (signal.aborted) request.abort()
          else signal.addEventListener('abort', () => request.abort(), { once: true })
        })
    })
  }
}
