import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Json } from './support/api.ts'
import { type Cluster, startCluster } from './support/cluster.ts'

let cluster: Cluster
beforeAll(async () => {
  cluster = await startCluster()
})
afterAll(() => cluster[Symbol.asyncDispose]())

const configMap = (name: string, labels: object = {}): Json => ({ metadata: { name, labels } })

/** A collection of its own for a test. */
const collection = async (): Promise<string> => `/api/v1/namespaces/${await cluster.namespace()}/configmaps`

describe('a watch', () => {
  it('from a list on tells of every change that came after it, in order', async () => {
    const maps = await collection()
    await cluster.api.post(maps, configMap('before'))
    const { metadata } = await cluster.api.get(maps)
    await cluster.api.post(maps, configMap('a'))
    const watch = await cluster.api.watch(`${maps}?resourceVersion=${metadata.resourceVersion}`)
    await cluster.api.post(maps, configMap('b'))
    await cluster.api.put(`${maps}/a`, { ...configMap('a'), data: { x: '1' } })
    const { resourceVersion } = (await cluster.api.get(`${maps}/b`)).metadata
    await cluster.api.delete(`${maps}/b`)
    expect(await watch.take(3)).toEqual(['ADDED a', 'ADDED b', 'MODIFIED a'])
    const last = await watch.next()
    expect(last).toMatchObject({ type: 'DELETED', object: { kind: 'ConfigMap', metadata: { name: 'b' } } })
    expect(Number(last?.object.metadata.resourceVersion)).toBeGreaterThan(Number(resourceVersion))
    watch.close()
  })

  it('without a resourceVersion begins with everything that is there', async () => {
    const maps = await collection()
    await cluster.api.post(maps, configMap('a'))
    await cluster.api.post(maps, configMap('b'))
    for (const query of ['', '?resourceVersion=0']) {
      const watch = await cluster.api.watch(`${maps}${query}`)
      expect((await watch.take(2)).toSorted()).toEqual(['ADDED a', 'ADDED b'])
      watch.close()
    }
  })

  it('of a selection sees objects come and go as they match', async () => {
    const maps = await collection()
    const watch = await cluster.api.watch(`${maps}?labelSelector=color%3Dblue`)
    await cluster.api.post(maps, configMap('a', { color: 'red' }))
    await cluster.api.post(maps, configMap('b', { color: 'blue' }))
    await cluster.api.put(`${maps}/a`, configMap('a', { color: 'blue' }))
    await cluster.api.put(`${maps}/b`, configMap('b', { color: 'red' }))
    await cluster.api.delete(`${maps}/b`)
    await cluster.api.delete(`${maps}/a`)
    expect(await watch.take(4)).toEqual(['ADDED b', 'ADDED a', 'DELETED b', 'DELETED a'])
    watch.close()
  })

  it('of one name sees that object alone', async () => {
    const maps = await collection()
    const watch = await cluster.api.watch(`${maps}?fieldSelector=metadata.name%3Db`)
    for (const name of ['a', 'b', 'c']) await cluster.api.post(maps, configMap(name))
    await cluster.api.delete(`${maps}/b`)
    expect(await watch.take(2)).toEqual(['ADDED b', 'DELETED b'])
    watch.close()
  })

  it('ends in good order after the time that was asked for', async () => {
    const maps = await collection()
    const watch = await cluster.api.watch(`${maps}?timeoutSeconds=1`)
    expect(await watch.next()).toBeUndefined()
    expect(watch.broken).toBe(false)
  })

  it('can begin with all objects and a bookmark that says where they end', async context => {
    cluster.since(34, context)
    const maps = await collection()
    await cluster.api.post(maps, configMap('a'))
    const watch = await cluster.api.watch(
      `${maps}?sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    )
    expect(await watch.take(1)).toEqual(['ADDED a'])
    const bookmark = await watch.next()
    expect(bookmark).toMatchObject({
      type: 'BOOKMARK',
      object: { kind: 'ConfigMap', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } },
    })
    await cluster.api.post(maps, configMap('b'))
    expect(await watch.take(1)).toEqual(['ADDED b'])
    watch.close()
  })

  it('from a version that is no number is refused', async () => {
    const maps = await collection()
    const { code, body } = await cluster.api.ask('GET', `${maps}?watch=true&resourceVersion=soon`)
    expect([code, body.kind, body.reason]).toEqual([500, 'Status', undefined])
    expect(body.message).toContain('resourceVersion: Invalid value: "soon"')
  })
})

describe('a list', () => {
  it('comes in pages that together are one moment', async () => {
    const maps = await collection()
    for (const name of ['a', 'b', 'c', 'd', 'e']) await cluster.api.post(maps, configMap(name))
    const first = await cluster.api.get(`${maps}?limit=2`)
    expect(names(first)).toEqual(['a', 'b'])
    expect(first.metadata.remainingItemCount).toBe(3)
    await cluster.api.delete(`${maps}/d`)
    await cluster.api.post(maps, configMap('c2'))
    const second = await cluster.api.get(`${maps}?limit=2&continue=${first.metadata.continue}`)
    expect(names(second)).toEqual(['c', 'd'])
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
    const third = await cluster.api.get(`${maps}?limit=2&continue=${second.metadata.continue}`)
    expect(names(third)).toEqual(['e'])
    expect(third.metadata.continue ?? '').toBe('')
  })

  it('can be narrowed down by labels and fields', async () => {
    const maps = await collection()
    await cluster.api.post(maps, configMap('a', { tier: 'web', env: 'prod' }))
    await cluster.api.post(maps, configMap('b', { tier: 'db' }))
    await cluster.api.post(maps, configMap('c'))
    const selected = async (query: string): Promise<readonly string[]> =>
      names(await cluster.api.get(`${maps}?${new URLSearchParams(JSON.parse(query))}`))
    const by = (labelSelector: string): Promise<readonly string[]> =>
      selected(JSON.stringify({ labelSelector }))
    expect(await by('tier')).toEqual(['a', 'b'])
    expect(await by('!tier')).toEqual(['c'])
    expect(await by('tier=web,env=prod')).toEqual(['a'])
    expect(await by('tier!=web')).toEqual(['b', 'c'])
    expect(await by('tier in (web, db),env notin (prod)')).toEqual(['b'])
    expect(await selected('{"fieldSelector":"metadata.name=b"}')).toEqual(['b'])
    expect(await selected('{"fieldSelector":"metadata.name!=b"}')).toEqual(['a', 'c'])
    for (const query of ['labelSelector=a%3D%3D%3D', 'fieldSelector=data.x%3D1'])
      expect((await cluster.api.ask('GET', `${maps}?${query}`)).code).toBe(400)
  })

  it('goes across namespaces, sorted by namespace and name', async () => {
    const [one, two] = [await cluster.namespace(), await cluster.namespace()]
    for (const namespace of [two, one])
      for (const name of ['y', 'x'])
        await cluster.api.post(
          `/api/v1/namespaces/${namespace}/configmaps`,
          configMap(name, { across: 'yes' }),
        )
    const list = await cluster.api.get('/api/v1/configmaps?labelSelector=across')
    expect(list.items.map((item: Json) => `${item.metadata.namespace}/${item.metadata.name}`)).toEqual(
      [one, two].toSorted().flatMap(namespace => [`${namespace}/x`, `${namespace}/y`]),
    )
  })

  it('of one of Kubernetes own kinds does not repeat the kind in each item', async () => {
    const maps = await collection()
    await cluster.api.post(maps, configMap('a'))
    const list = await cluster.api.get(maps)
    expect(list).toMatchObject({ kind: 'ConfigMapList', apiVersion: 'v1' })
    expect(list.items[0]).not.toHaveProperty('kind')
    expect(list.items[0]).not.toHaveProperty('apiVersion')
  })

  it('of a version that is still to come is refused, with when to ask again', async () => {
    const maps = await collection()
    const { code, body } = await cluster.api.ask('GET', `${maps}?resourceVersion=999999999`)
    expect([code, body.reason]).toEqual([504, 'Timeout'])
    expect(body.message).toContain('Too large resource version')
    expect(body.details.causes[0].reason).toBe('ResourceVersionTooLarge')
  })

  it('can be had as it was at a version', async () => {
    const maps = await collection()
    await cluster.api.post(maps, configMap('a'))
    const { resourceVersion } = (await cluster.api.get(maps)).metadata
    await cluster.api.post(maps, configMap('b'))
    const then = await cluster.api.get(
      `${maps}?resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`,
    )
    expect(names(then)).toEqual(['a'])
    const now = await cluster.api.get(
      `${maps}?resourceVersion=${resourceVersion}&resourceVersionMatch=NotOlderThan`,
    )
    // What comes out of the cache of an older one is in no order.
    expect(names(now).toSorted()).toEqual(['a', 'b'])
  })
})

const names = (list: Json): readonly string[] => list.items.map((item: Json) => item.metadata.name)
