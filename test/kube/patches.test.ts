import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Json } from './support/api.ts'
import { patchTypes } from './support/api.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { define } from './support/define.ts'

let cluster: Cluster
let namespace: string
let services: string
let maps: string

beforeAll(async () => {
  cluster = await startCluster()
  namespace = await cluster.namespace()
  services = `/api/v1/namespaces/${namespace}/services`
  maps = `/api/v1/namespaces/${namespace}/configmaps`
})
afterAll(() => cluster[Symbol.asyncDispose]())

const ports = [
  { name: 'http', port: 80 },
  { name: 'https', port: 443 },
]
const service = (name: string): Promise<Json> =>
  cluster.api.post(services, { metadata: { name, labels: { a: '1', b: '2' } }, spec: { ports } })
const numbers = (object: Json): readonly number[] => object.spec.ports.map((port: Json) => port.port)

describe('a merge patch', () => {
  it('changes what it names, removes what it sets to null, and replaces lists', async () => {
    await service('merged')
    const changed = await cluster.api.patch(`${services}/merged`, 'merge', {
      metadata: { labels: { a: '3', b: null } },
      spec: { ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] },
    })
    expect(changed.metadata.labels).toEqual({ a: '3' })
    expect(changed.spec.ports).toEqual([{ name: 'dns', port: 53, protocol: 'UDP', targetPort: 53 }])
  })

  it('that names a resourceVersion goes on top of that one alone', async () => {
    const { metadata } = await service('versioned')
    const body = { metadata: { resourceVersion: metadata.resourceVersion, labels: { a: '4' } } }
    await cluster.api.patch(`${services}/versioned`, 'merge', body)
    const { code, body: answer } = await cluster.api.ask('PATCH', `${services}/versioned`, {
      body: { metadata: { ...body.metadata, labels: { a: '5' } } },
      type: patchTypes.merge,
    })
    expect([code, answer.reason]).toEqual([409, 'Conflict'])
  })

  it('that changes nothing writes nothing', async () => {
    const { metadata } = await service('calm')
    const again = await cluster.api.patch(`${services}/calm`, 'merge', { metadata: { labels: { a: '1' } } })
    expect(again.metadata.resourceVersion).toBe(metadata.resourceVersion)
  })

  it('of the status leaves everything else alone', async () => {
    await cluster.api.post(services, { metadata: { name: 'status' }, spec: { type: 'LoadBalancer', ports } })
    const changed = await cluster.api.patch(`${services}/status/status`, 'merge', {
      spec: { type: 'ClusterIP' },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
    })
    expect([changed.spec.type, changed.status.loadBalancer.ingress[0].ip]).toEqual([
      'LoadBalancer',
      '192.0.2.1',
    ])
  })

  it('to an object that is not there is refused', async () => {
    const { code } = await cluster.api.ask('PATCH', `${services}/nobody`, {
      body: {},
      type: patchTypes.merge,
    })
    expect(code).toBe(404)
  })
})

describe('a JSON patch', () => {
  it('does one step after another', async () => {
    await service('steps')
    const changed = await cluster.api.patch(`${services}/steps`, 'json', [
      { op: 'test', path: '/spec/ports/0/port', value: 80 },
      { op: 'remove', path: '/spec/ports/0' },
      { op: 'add', path: '/spec/ports/-', value: { name: 'alt', port: 8443 } },
      { op: 'add', path: '/metadata/labels/example.com~1c', value: '3' },
      { op: 'replace', path: '/metadata/labels/a', value: '9' },
      { op: 'copy', from: '/metadata/labels/a', path: '/metadata/labels/d' },
      { op: 'move', from: '/metadata/labels/b', path: '/metadata/labels/e' },
    ])
    expect(numbers(changed)).toEqual([443, 8443])
    expect(changed.metadata.labels).toEqual({ a: '9', d: '9', e: '2', 'example.com/c': '3' })
  })

  it('that cannot be done changes nothing', async () => {
    const { metadata } = await service('undone')
    for (const patch of [
      [
        { op: 'replace', path: '/metadata/labels/a', value: 'x' },
        { op: 'test', path: '/spec/ports/0/port', value: 81 },
      ],
      [{ op: 'remove', path: '/spec/ports/7' }],
    ]) {
      const { code } = await cluster.api.ask('PATCH', `${services}/undone`, {
        body: patch,
        type: patchTypes.json,
      })
      expect(code).toBe(422)
    }
    expect((await cluster.api.get(`${services}/undone`)).metadata.resourceVersion).toBe(
      metadata.resourceVersion,
    )
  })
})

describe('a strategic merge patch', () => {
  it('merges lists by the key of their items', async () => {
    await service('keyed')
    const changed = await cluster.api.patch(`${services}/keyed`, 'strategic', {
      spec: {
        ports: [
          { port: 443, targetPort: 8443 },
          { name: 'dns', port: 53 },
        ],
      },
    })
    expect(numbers(changed).toSorted((a, b) => a - b)).toEqual([53, 80, 443])
    expect(changed.spec.ports.find((port: Json) => port.port === 443)).toMatchObject({
      name: 'https',
      targetPort: 8443,
    })
  })

  it('deletes and replaces items where it says so', async () => {
    await service('directed')
    const fewer = await cluster.api.patch(`${services}/directed`, 'strategic', {
      spec: { ports: [{ $patch: 'delete', port: 80 }] },
    })
    expect(numbers(fewer)).toEqual([443])
    const other = await cluster.api.patch(`${services}/directed`, 'strategic', {
      spec: { ports: [{ name: 'x', port: 1 }, { $patch: 'replace' }] },
    })
    expect(numbers(other)).toEqual([1])
  })

  it('keeps to the order that it asks for', async () => {
    await service('ordered')
    const changed = await cluster.api.patch(`${services}/ordered`, 'strategic', {
      spec: {
        '$setElementOrder/ports': [{ port: 443 }, { port: 80 }],
        ports: [{ port: 443, targetPort: 1 }],
      },
    })
    expect(numbers(changed)).toEqual([443, 80])
  })

  it('adds to and takes from lists of plain values', async () => {
    const finalizers = ['example.com/a', 'example.com/b']
    await cluster.api.post(maps, { metadata: { name: 'plain', finalizers } })
    const more = await cluster.api.patch(`${maps}/plain`, 'strategic', {
      metadata: { finalizers: ['example.com/c'] },
    })
    expect(more.metadata.finalizers.toSorted()).toEqual([...finalizers, 'example.com/c'])
    const none = await cluster.api.patch(`${maps}/plain`, 'strategic', {
      metadata: { '$deleteFromPrimitiveList/finalizers': [...finalizers, 'example.com/c'] },
    })
    expect(none.metadata.finalizers ?? []).toEqual([])
  })

  it('is not known to custom resources', async () => {
    await define(cluster.api, {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'things.example.com' },
      spec: {
        group: 'example.com',
        scope: 'Namespaced',
        names: { plural: 'things', kind: 'Thing' },
        versions: [
          { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } },
        ],
      },
    })
    const things = `/apis/example.com/v1/namespaces/${namespace}/things`
    await cluster.api.post(things, { apiVersion: 'example.com/v1', kind: 'Thing', metadata: { name: 'a' } })
    const { code, body } = await cluster.api.ask('PATCH', `${things}/a`, {
      body: {},
      type: patchTypes.strategic,
    })
    expect([code, body.reason]).toEqual([415, 'UnsupportedMediaType'])
  })
})
