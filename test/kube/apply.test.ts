import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import type { Answer, Json } from './support/api.ts'
import { patchTypes } from './support/api.ts'
import { type Cluster, startCluster } from './support/cluster.ts'

let cluster: Cluster
let maps: string
let services: string

beforeAll(async () => {
  cluster = await startCluster()
  const namespace = await cluster.namespace()
  maps = `/api/v1/namespaces/${namespace}/configmaps`
  services = `/api/v1/namespaces/${namespace}/services`
})
afterAll(() => cluster[Symbol.asyncDispose]())

const applied = (manager: string, path: string, body: Json, query = ''): Promise<Answer> =>
  cluster.api.ask('PATCH', `${path}?fieldManager=${manager}${query}`, {
    body: stringify({
      apiVersion: 'v1',
      kind: path.includes('/services') ? 'Service' : 'ConfigMap',
      metadata: { name: path.split('/')[6] },
      ...body,
    }),
    type: patchTypes.apply,
  })

const data = (data: object): Json => ({ data })
const entries = (object: Json): Json => object.metadata.managedFields

describe('apply', () => {
  it('makes what is not there, and says who owns what', async () => {
    const { code, body } = await applied('one', `${maps}/new`, data({ a: '1' }))
    expect(code).toBe(201)
    expect(body.data).toEqual({ a: '1' })
    expect(entries(body)).toEqual([
      {
        manager: 'one',
        operation: 'Apply',
        apiVersion: 'v1',
        time: expect.stringMatching(/Z$/),
        fieldsType: 'FieldsV1',
        fieldsV1: { 'f:data': { 'f:a': {} } },
      },
    ])
  })

  it('removes what its manager no longer wants, and leaves alone what others put there', async () => {
    await applied('one', `${maps}/shared`, data({ a: '1', b: '2' }))
    await cluster.api.patch(`${maps}/shared`, 'merge', data({ c: '3' }))
    const { code, body } = await applied('one', `${maps}/shared`, data({ b: '2' }))
    expect([code, body.data]).toEqual([200, { b: '2', c: '3' }])
  })

  it('does not take a field from another manager, but says whose it is', async () => {
    await applied('one', `${maps}/contested`, data({ a: '1', b: '2' }))
    const refused = await applied('two', `${maps}/contested`, data({ a: '9' }))
    expect(refused.code).toBe(409)
    expect(refused.body).toMatchObject({
      reason: 'Conflict',
      message: 'Apply failed with 1 conflict: conflict with "one": .data.a',
      details: {
        causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.data.a' }],
      },
    })
    const forced = await applied('two', `${maps}/contested`, data({ a: '9' }), '&force=true')
    expect(forced.body.data).toEqual({ a: '9', b: '2' })
    const owner = (manager: string): Json =>
      entries(forced.body).find((entry: Json) => entry.manager === manager).fieldsV1['f:data']
    expect(owner('one')).toEqual({ 'f:b': {} })
    expect(owner('two')).toEqual({ 'f:a': {} })
  })

  it('can share a field with others as long as all want the same', async () => {
    await applied('one', `${maps}/agreed`, data({ a: '1' }))
    const { code } = await applied('two', `${maps}/agreed`, data({ a: '1' }))
    expect(code).toBe(200)
    const { body } = await applied('one', `${maps}/agreed`, data({ b: '2' }))
    expect(body.data).toEqual({ a: '1', b: '2' })
  })

  it('of the same again writes nothing', async () => {
    const { body } = await applied('one', `${maps}/calm`, data({ a: '1' }))
    const again = await applied('one', `${maps}/calm`, data({ a: '1' }))
    expect(again.body.metadata.resourceVersion).toBe(body.metadata.resourceVersion)
  })

  it('merges lists by the keys of their items', async context => {
    cluster.since(22, context)
    const ports = (...numbers: readonly number[]): Json => ({
      spec: { ports: numbers.map(port => ({ name: `p${port}`, port })) },
    })
    await applied('one', `${services}/ports`, ports(80, 443))
    await applied('two', `${services}/ports`, ports(53))
    const { body } = await applied('one', `${services}/ports`, ports(443))
    expect(body.spec.ports.map((port: Json) => port.port).toSorted((a: number, b: number) => a - b)).toEqual([
      53, 443,
    ])
    const own = entries(body).find((entry: Json) => entry.manager === 'one').fieldsV1
    expect(own['f:spec']['f:ports']).toEqual({
      'k:{"port":443,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {} },
    })
  })

  it('of the status is a matter of its own', async context => {
    cluster.since(22, context)
    const spec = { type: 'LoadBalancer', ports: [{ port: 80 }] }
    await applied('one', `${services}/status`, { spec })
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } }
    const { code, body } = await applied('two', `${services}/status/status`, { status })
    expect([code, body.status.loadBalancer.ingress[0].ip]).toEqual([200, '192.0.2.1'])
    expect(entries(body).find((entry: Json) => entry.manager === 'two').subresource).toBe('status')
    const kept = await applied('one', `${services}/status`, { spec, status: {} })
    expect(kept.body.status.loadBalancer.ingress[0].ip).toBe('192.0.2.1')
  })

  it('needs the name of what it makes, and not of what is there', async () => {
    const unnamed = { metadata: {}, ...data({ a: '1' }) }
    const { code, body } = await applied('one', `${maps}/unnamed`, unnamed)
    expect([code, body.message]).toEqual([
      400,
      'the name of the object (unnamed based on URL) was undeterminable: name must be provided',
    ])
    await applied('one', `${maps}/unnamed`, data({ a: '1' }))
    expect((await applied('one', `${maps}/unnamed`, unnamed)).code).toBe(200)
  })

  it('needs a manager, and an object that does not say itself who manages it', async () => {
    const nobody = await cluster.api.ask('PATCH', `${maps}/a`, { body: '{}', type: patchTypes.apply })
    expect([nobody.code, nobody.body.reason]).toEqual([422, 'Invalid'])
    const { code } = await applied('one', `${maps}/a`, { metadata: { managedFields: [{ manager: 'me' }] } })
    expect(code).toBe(400)
  })
})

describe('other writes', () => {
  it('own what they change, under the name of their program', async () => {
    const made = await cluster.api.post(maps, {
      metadata: { name: 'owned', labels: { l: '1' } },
      data: { a: '1', b: '2' },
    })
    expect(entries(made)).toMatchObject([{ manager: 'conformance', operation: 'Update', apiVersion: 'v1' }])
    expect(entries(made)[0].fieldsV1['f:data']).toEqual({ '.': {}, 'f:a': {}, 'f:b': {} })
    const changed = await cluster.api.must('PATCH', `${maps}/owned?fieldManager=other`, {
      body: data({ b: '3' }),
      type: patchTypes.merge,
    })
    const of = (manager: string): Json =>
      entries(changed).find((entry: Json) => entry.manager === manager).fieldsV1['f:data']
    expect(of('conformance')).toEqual({ '.': {}, 'f:a': {} })
    expect(of('other')).toEqual({ 'f:b': {} })
  })

  it('keep what is owned when the client leaves it out', async () => {
    const made = await cluster.api.post(maps, { metadata: { name: 'left-out' }, data: { a: '1' } })
    const { managedFields: _, ...metadata } = made.metadata
    const again = await cluster.api.put(`${maps}/left-out`, { ...made, metadata })
    expect(entries(again)).toEqual(entries(made))
    expect(again.metadata.resourceVersion).toBe(made.metadata.resourceVersion)
  })

  it('of a status are kept apart from those of the rest', async context => {
    cluster.since(22, context)
    const made = await cluster.api.post(services, {
      metadata: { name: 'apart' },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
    })
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } }
    const written = await cluster.api.put(`${services}/apart/status`, { ...made, status })
    expect(
      entries(written)
        .map((entry: Json) => entry.subresource ?? '')
        .toSorted(),
    ).toEqual(['', 'status'])
  })
})
