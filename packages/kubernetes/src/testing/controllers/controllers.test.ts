import { settle } from '@carillon/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { KubeObject } from '../api/object.ts'
import { KubeApiServer } from '../server/server.ts'

let server: KubeApiServer
beforeEach(async () => {
  server = await KubeApiServer.start()
})
afterEach(() => server.stop())

const configMap = (name: string, metadata: object = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...metadata },
})
const key = (name: string, namespace?: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name,
  ...(namespace === undefined ? {} : { namespace }),
})
const owner = ({ apiVersion, kind, metadata: { name = '', uid = '' } }: KubeObject, more: object = {}) => ({
  ownerReferences: [{ apiVersion, kind, name, uid, ...more }],
})

/** The names that are left once everybody has done what they had to do. */
async function left(): Promise<readonly (string | undefined)[]> {
  for (let i = 0; i < 10; i++) await settle()
  return (await server.store.list({ apiVersion: 'v1', kind: 'ConfigMap' })).map(one => one.metadata.name)
}

describe('garbage collection', () => {
  it('deletes what belonged to an object that is gone, and what belonged to that', async () => {
    const top = await server.store.create(configMap('top'))
    const middle = await server.store.create(configMap('middle', owner(top)))
    await server.store.create(configMap('bottom', owner(middle)))
    await server.store.create(configMap('other'))
    await server.store.delete(key('top'))
    expect(await left()).toEqual(['other'])
  })

  it('spares what still has another owner', async () => {
    const [one, two] = [
      await server.store.create(configMap('one')),
      await server.store.create(configMap('two')),
    ]
    const both = { ownerReferences: [...owner(one).ownerReferences, ...owner(two).ownerReferences] }
    await server.store.create(configMap('shared', both))
    await server.store.delete(key('one'))
    expect(await left()).toEqual(['shared', 'two'])
    await server.store.delete(key('two'))
    expect(await left()).toEqual([])
  })

  it('deletes what claims an owner that never was', async () => {
    const ghost = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'ghost', uid: 'none' } }
    await server.store.create(configMap('orphan', owner(ghost)))
    expect(await left()).toEqual([])
  })

  it('leaves the dependants alone where the owner is to go without them', async () => {
    const top = await server.store.create(configMap('top'))
    await server.store.create(configMap('bottom', owner(top)))
    await server.store.delete(key('top'), { propagationPolicy: 'Orphan' })
    expect(await left()).toEqual(['bottom'])
    expect((await server.store.get(key('bottom')))?.metadata).not.toHaveProperty('ownerReferences')
  })

  it('deletes the dependants first where the owner is to wait for them', async () => {
    const top = await server.store.create(configMap('top'))
    const finalizers = ['example.com/hold']
    await server.store.create(
      configMap('bottom', { ...owner(top, { blockOwnerDeletion: true }), finalizers }),
    )
    await server.store.delete(key('top'), { propagationPolicy: 'Foreground' })
    expect(await left()).toEqual(['bottom', 'top'])
    await server.store.patch(key('bottom'), { metadata: { finalizers: null } })
    expect(await left()).toEqual([])
  })

  it('is not there where controllers are not wanted', async () => {
    await using bare = await KubeApiServer.start({ controllers: false })
    const top = await bare.store.create(configMap('top'))
    await bare.store.create(configMap('bottom', owner(top)))
    await bare.store.delete(key('top'))
    await settle()
    expect(await bare.store.list({ apiVersion: 'v1', kind: 'ConfigMap' })).toHaveLength(1)
  })
})

describe('a namespace that is deleted', () => {
  const web = { apiVersion: 'v1', kind: 'Namespace', name: 'web' }

  it('goes when everything in it is gone, and takes nothing new until then', async () => {
    await server.store.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'web' } })
    await server.store.create(configMap('a', { namespace: 'web' }))
    await server.store.create(configMap('b', { namespace: 'web', finalizers: ['example.com/hold'] }))
    await server.store.delete(web)
    expect(await left()).toEqual(['b'])
    expect((await server.store.get(web))?.status).toMatchObject({ phase: 'Terminating' })
    await expect(server.store.create(configMap('c', { namespace: 'web' }))).rejects.toMatchObject({
      code: 'API_REFUSED',
      details: { status: 403, reason: 'Forbidden' },
      message: expect.stringContaining('because it is being terminated'),
    })
    await server.store.patch(key('b', 'web'), { metadata: { finalizers: null } })
    expect(await left()).toEqual([])
    expect(await server.store.get(web)).toBeUndefined()
  })
})

describe('a pod that is deleted', () => {
  const pod = (name: string, spec: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'a', image: 'a' }], ...spec },
  })

  it('goes at once while it is on no node, and else when the node is done with it', async () => {
    await server.store.create(pod('loose'))
    await server.store.delete({ apiVersion: 'v1', kind: 'Pod', name: 'loose' })
    expect(await server.store.get({ apiVersion: 'v1', kind: 'Pod', name: 'loose' })).toBeUndefined()
    const bound = { apiVersion: 'v1', kind: 'Pod', name: 'bound' }
    await server.store.create(pod('bound', { nodeName: 'node-a' }))
    await server.store.delete(bound)
    expect((await server.store.get(bound))?.metadata.deletionGracePeriodSeconds).toBe(30)
    await server.store.delete(bound, { gracePeriodSeconds: 0 })
    expect(await server.store.get(bound)).toBeUndefined()
  })
})
