import {
  CoreV1Api,
  CustomObjectsApi,
  KubeConfig,
  makeInformer,
  type V1ConfigMap,
} from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Cluster, startCluster } from './support/cluster.ts'
import { eventually } from './support/eventually.ts'

let cluster: Cluster
let config: KubeConfig
let namespace: string

beforeAll(async () => {
  cluster = await startCluster({ tls: true, authorize: true })
  namespace = await cluster.namespace()
  config = new KubeConfig()
  config.loadFromString(cluster.kubeconfig())
})
afterAll(() => cluster[Symbol.asyncDispose]())

describe('@kubernetes/client-node', () => {
  it('makes, reads, changes and deletes an object', async () => {
    const core = config.makeApiClient(CoreV1Api)
    const name = 'object'
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name }, data: { a: '1' } } })
    const read = await core.readNamespacedConfigMap({ namespace, name })
    expect(read.data).toEqual({ a: '1' })
    const replaced = await core.replaceNamespacedConfigMap({
      namespace,
      name,
      body: { ...read, data: { a: '2' } },
    })
    expect(replaced.data).toEqual({ a: '2' })
    await expect(
      core.replaceNamespacedConfigMap({ namespace, name, body: { ...read, data: { a: '3' } } }),
    ).rejects.toMatchObject({ code: 409 })
    await core.deleteNamespacedConfigMap({ namespace, name })
    await expect(core.readNamespacedConfigMap({ namespace, name })).rejects.toMatchObject({ code: 404 })
  })

  it('keeps a cache by listing and watching', async () => {
    const core = config.makeApiClient(CoreV1Api)
    const seen: string[] = []
    const informer = makeInformer<V1ConfigMap>(
      config,
      `/api/v1/namespaces/${namespace}/configmaps`,
      () => core.listNamespacedConfigMap({ namespace, labelSelector: 'cached' }),
      'cached',
    )
    for (const event of ['add', 'update', 'delete'] as const)
      informer.on(event, object => seen.push(`${event} ${object.metadata?.name} ${object.data?.a ?? ''}`))
    const labels = { cached: 'yes' }
    await core.createNamespacedConfigMap({
      namespace,
      body: { metadata: { name: 'one', labels }, data: { a: '1' } },
    })
    await informer.start()
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'two', labels } } })
    await core.replaceNamespacedConfigMap({
      namespace,
      name: 'one',
      body: { metadata: { name: 'one', labels }, data: { a: '2' } },
    })
    await core.deleteNamespacedConfigMap({ namespace, name: 'two' })
    await eventually(
      async () => seen,
      events => events.length >= 4,
    )
    await informer.stop()
    expect(seen).toEqual(['add one 1', 'add two ', 'update one 2', 'delete two '])
  })

  it('reads custom resources', async () => {
    const custom = config.makeApiClient(CustomObjectsApi)
    const group = 'apiextensions.k8s.io'
    const list = await custom.listClusterCustomObject({
      group,
      version: 'v1',
      plural: 'customresourcedefinitions',
    })
    expect(list).toMatchObject({ kind: 'CustomResourceDefinitionList', items: [] })
  })
})
