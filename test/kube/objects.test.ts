import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Json } from './support/api.ts'
import { type Cluster, startCluster } from './support/cluster.ts'

let cluster: Cluster
let namespace: string
let maps: string

beforeAll(async () => {
  cluster = await startCluster()
  namespace = await cluster.namespace()
  maps = `/api/v1/namespaces/${namespace}/configmaps`
})
afterAll(() => cluster[Symbol.asyncDispose]())

const configMap = (name: string, data: object = {}): Json => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
})

describe('an object', () => {
  it('gets a uid, a creation time and a resourceVersion, and can be read back', async () => {
    const made = await cluster.api.post(maps, configMap('first', { a: '1' }))
    expect(made).toMatchObject({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'first', namespace, uid: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      data: { a: '1' },
    })
    expect(made.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(Number(made.metadata.resourceVersion)).toBeGreaterThan(0)
    expect(await cluster.api.get(`${maps}/first`)).toEqual(made)
  })

  it('cannot be made twice, which is said with its name', async () => {
    await cluster.api.post(maps, configMap('twice'))
    const { code, body } = await cluster.api.ask('POST', maps, { body: configMap('twice') })
    expect(code).toBe(409)
    expect(body).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: 'configmaps "twice" already exists',
      reason: 'AlreadyExists',
      details: { name: 'twice', kind: 'configmaps' },
      code: 409,
    })
  })

  it('that is not there is said to be missing, with its name', async () => {
    const { code, body } = await cluster.api.ask('GET', `${maps}/nobody`)
    expect(code).toBe(404)
    expect(body).toMatchObject({
      status: 'Failure',
      message: 'configmaps "nobody" not found',
      reason: 'NotFound',
      details: { name: 'nobody', kind: 'configmaps' },
    })
  })

  it('is named by the server where it only says how its name begins', async () => {
    const body = { metadata: { generateName: 'some-' } }
    const [one, two] = [await cluster.api.post(maps, body), await cluster.api.post(maps, body)]
    expect(one.metadata.name).toMatch(/^some-[a-z0-9]{5}$/)
    expect(two.metadata.name).not.toBe(one.metadata.name)
  })

  it('needs a name that is one', async () => {
    for (const metadata of [{}, { name: 'No Name' }]) {
      const { code, body } = await cluster.api.ask('POST', maps, { body: { metadata } })
      expect(code).toBe(422)
      expect(body.reason).toBe('Invalid')
      expect(body.details.causes[0].field).toBe('metadata.name')
    }
  })

  it('needs a namespace that is there', async () => {
    const { code, body } = await cluster.api.ask('POST', '/api/v1/namespaces/nowhere/configmaps', {
      body: configMap('lost'),
    })
    expect([code, body.message]).toEqual([404, 'namespaces "nowhere" not found'])
  })

  it('is refused where its kind or its namespace contradicts the path', async () => {
    for (const body of [
      { ...configMap('a'), kind: 'Secret' },
      { ...configMap('a'), apiVersion: 'v2' },
      { ...configMap('a'), metadata: { name: 'a', namespace: 'default' } },
    ])
      expect((await cluster.api.ask('POST', maps, { body })).code).toBe(400)
  })

  it('loses fields that nobody knows, with a warning or, if asked for, a refusal', async context => {
    cluster.since(25, context)
    const body = { ...configMap('odd'), unheardOf: 1 }
    const warned = await cluster.api.ask('POST', maps, { body })
    expect(warned.code).toBe(201)
    expect(warned.body).not.toHaveProperty('unheardOf')
    expect(warned.headers.warning).toContain('unknown field \\"unheardOf\\"')
    const strict = await cluster.api.ask('POST', `${maps}?fieldValidation=Strict`, {
      body: { ...body, metadata: { name: 'odder' } },
    })
    expect(strict.code).toBe(400)
    expect(strict.body.message).toContain('strict decoding error: unknown field "unheardOf"')
  })

  it('has to be of a kind that there is, at a path that there is', async () => {
    const nothing = await cluster.api.ask('GET', `/api/v1/namespaces/${namespace}/nothings`)
    expect([nothing.code, nothing.body.reason, nothing.body.message]).toEqual([
      404,
      'NotFound',
      'the server could not find the requested resource',
    ])
    const named = await cluster.api.ask('POST', `${maps}/here`, { body: configMap('here') })
    expect([named.code, named.body.reason, named.body.message]).toEqual([
      405,
      'MethodNotAllowed',
      'the server does not allow this method on the requested resource',
    ])
  })

  it('of the wrong shape is refused', async () => {
    const { code, body } = await cluster.api.ask('POST', maps, { body: { ...configMap('bad'), data: [1] } })
    expect([code, body.reason]).toEqual([400, 'BadRequest'])
  })

  it('is not stored when it is only tried', async () => {
    const { code, body } = await cluster.api.ask('POST', `${maps}?dryRun=All`, { body: configMap('dry') })
    expect([code, body.metadata.name]).toEqual([201, 'dry'])
    expect((await cluster.api.ask('GET', `${maps}/dry`)).code).toBe(404)
  })
})

describe('an update', () => {
  it('replaces the object and moves its resourceVersion on', async () => {
    const made = await cluster.api.post(maps, configMap('changing', { a: '1', b: '2' }))
    const changed = await cluster.api.put(`${maps}/changing`, { ...made, data: { a: '3' } })
    expect(changed.data).toEqual({ a: '3' })
    expect(changed.metadata.uid).toBe(made.metadata.uid)
    expect(Number(changed.metadata.resourceVersion)).toBeGreaterThan(Number(made.metadata.resourceVersion))
  })

  it('on top of an old version is a conflict that changes nothing', async () => {
    const made = await cluster.api.post(maps, configMap('contested', { a: '1' }))
    await cluster.api.put(`${maps}/contested`, { ...made, data: { a: '2' } })
    const { code, body } = await cluster.api.ask('PUT', `${maps}/contested`, {
      body: { ...made, data: { a: '3' } },
    })
    expect(code).toBe(409)
    expect(body).toMatchObject({
      reason: 'Conflict',
      message:
        'Operation cannot be fulfilled on configmaps "contested": the object has been modified; please apply your changes to the latest version and try again',
      details: { name: 'contested', kind: 'configmaps' },
    })
    expect((await cluster.api.get(`${maps}/contested`)).data).toEqual({ a: '2' })
  })

  it('without a resourceVersion replaces whatever is there, where the kind allows it', async () => {
    await cluster.api.post(maps, configMap('careless', { a: '1' }))
    expect((await cluster.api.put(`${maps}/careless`, configMap('careless', { a: '2' }))).data).toEqual({
      a: '2',
    })
    const leases = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`
    await cluster.api.post(leases, { metadata: { name: 'careful' } })
    const { code } = await cluster.api.ask('PUT', `${leases}/careful`, {
      body: { metadata: { name: 'careful' } },
    })
    expect(code).toBe(422)
  })

  it('that changes nothing writes nothing', async () => {
    const made = await cluster.api.post(maps, configMap('calm', { a: '1' }))
    const again = await cluster.api.put(`${maps}/calm`, made)
    expect(again.metadata.resourceVersion).toBe(made.metadata.resourceVersion)
  })

  it('says the name and, if it says any, the namespace of the object', async () => {
    const made = await cluster.api.post(maps, configMap('told', { a: '1' }))
    const undetermined =
      'the name of the object (told based on URL) was undeterminable: name must be provided'
    const put = await cluster.api.ask('PUT', `${maps}/told`, { body: { data: { a: '2' } } })
    expect([put.code, put.body.message]).toEqual([400, undetermined])
    const patched = await cluster.api.ask('PATCH', `${maps}/told`, {
      body: { metadata: { name: null } },
      type: 'application/merge-patch+json',
    })
    expect([patched.code, patched.body.message]).toEqual([400, undetermined])
    const elsewhere = await cluster.api.ask('PUT', `${maps}/told`, {
      body: { metadata: { name: 'told', namespace: 'default' } },
    })
    expect([elsewhere.code, elsewhere.body.message]).toEqual([
      400,
      `the namespace of the object (default) does not match the namespace on the request (${namespace})`,
    ])
    expect(await cluster.api.get(`${maps}/told`)).toEqual(made)
  })

  it('with the uid of another object is a conflict', async () => {
    const made = await cluster.api.post(maps, configMap('other'))
    const uid = '00000000-0000-0000-0000-000000000000'
    const { code, body } = await cluster.api.ask('PUT', `${maps}/other`, {
      body: { ...made, metadata: { ...made.metadata, uid } },
    })
    expect([code, body.reason]).toEqual([409, 'Conflict'])
  })

  it('cannot change when the object was made, or what it is called', async () => {
    const made = await cluster.api.post(maps, configMap('fixed'))
    const changed = await cluster.api.put(`${maps}/fixed`, {
      ...made,
      metadata: { ...made.metadata, creationTimestamp: '2001-01-01T00:00:00Z' },
    })
    expect(changed.metadata.creationTimestamp).toBe(made.metadata.creationTimestamp)
    const { code } = await cluster.api.ask('PUT', `${maps}/fixed`, { body: configMap('renamed') })
    expect(code).toBe(400)
  })
})

describe('a deletion', () => {
  it('answers with what was deleted, and the object is gone', async () => {
    const { metadata } = await cluster.api.post(maps, configMap('doomed'))
    expect(await cluster.api.delete(`${maps}/doomed`)).toEqual({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Success',
      details: { name: 'doomed', kind: 'configmaps', uid: metadata.uid },
    })
    expect((await cluster.api.ask('GET', `${maps}/doomed`)).code).toBe(404)
    expect((await cluster.api.ask('DELETE', `${maps}/doomed`)).code).toBe(404)
  })

  it('waits for the finalizers, and ends when the last is removed', async () => {
    const body = configMap('held')
    await cluster.api.post(maps, {
      ...body,
      metadata: { ...body.metadata, finalizers: ['example.com/hold'] },
    })
    const marked = await cluster.api.delete(`${maps}/held`)
    expect(marked.metadata.deletionTimestamp).toBeDefined()
    const again = await cluster.api.delete(`${maps}/held`)
    expect(again.metadata.deletionTimestamp).toBe(marked.metadata.deletionTimestamp)
    const refused = await cluster.api.ask('PUT', `${maps}/held`, {
      body: {
        ...marked,
        metadata: { ...marked.metadata, finalizers: ['example.com/hold', 'example.com/more'] },
      },
    })
    expect(refused.code).toBe(422)
    await cluster.api.put(`${maps}/held`, { ...marked, metadata: { ...marked.metadata, finalizers: [] } })
    expect((await cluster.api.ask('GET', `${maps}/held`)).code).toBe(404)
  })

  it('only goes through while what it was meant for is still there', async () => {
    const { metadata } = await cluster.api.post(maps, configMap('meant'))
    for (const preconditions of [{ uid: 'another' }, { resourceVersion: '1' }]) {
      const { code, body } = await cluster.api.ask('DELETE', `${maps}/meant`, { body: { preconditions } })
      expect([code, body.reason]).toEqual([409, 'Conflict'])
      expect(body.message).toMatch(/on ConfigMap "meant": the \w+ in the precondition \(.+\) does not match/)
    }
    await cluster.api.delete(`${maps}/meant`, { preconditions: { uid: metadata.uid } })
  })

  it('is refused where nobody knows how it is meant', async () => {
    await cluster.api.post(maps, configMap('spared'))
    const { code, body } = await cluster.api.ask('DELETE', `${maps}/spared`, {
      body: { propagationPolicy: 'Magic' },
    })
    expect([code, body.reason, body.details.causes[0].field]).toEqual([422, 'Invalid', 'propagationPolicy'])
    await cluster.api.get(`${maps}/spared`)
  })

  it('of a collection takes those that are selected', async () => {
    for (const name of ['a', 'b', 'c'])
      await cluster.api.post(maps, {
        ...configMap(`many-${name}`),
        metadata: { name: `many-${name}`, labels: { many: name === 'c' ? 'no' : 'yes' } },
      })
    await cluster.api.delete(`${maps}?labelSelector=many%3Dyes`)
    const { items } = await cluster.api.get(`${maps}?labelSelector=many`)
    expect(items.map((item: Json) => item.metadata.name)).toEqual(['many-c'])
  })
})
