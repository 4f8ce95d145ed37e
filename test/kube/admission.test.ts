import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Json } from './support/api.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { define } from './support/define.ts'
import { eventually } from './support/eventually.ts'
import { type Answers, Webhook } from './support/webhook.ts'

const group = '/apis/admissionregistration.k8s.io/v1'
let cluster: Cluster
let webhook: Webhook
let namespace: string
let maps: string
let made: string[] = []
let counter = 0

beforeAll(async () => {
  cluster = await startCluster()
  webhook = await Webhook.start()
})
afterAll(async () => {
  await webhook[Symbol.asyncDispose]()
  await cluster[Symbol.asyncDispose]()
})
afterEach(async () => {
  for (const path of made) await cluster.api.ask('DELETE', path)
  made = []
})

const rule = (resources: readonly string[], operations: readonly string[] = ['*']): Json => ({
  apiGroups: ['*'],
  apiVersions: ['*'],
  resources,
  operations,
})

/** A webhook for a namespace of its own, which is then the one of the test; resolves when it is in force. */
async function configured(kind: 'validating' | 'mutating', answers: Answers, more: Json = {}): Promise<void> {
  namespace = await cluster.namespace()
  maps = `/api/v1/namespaces/${namespace}/configmaps`
  counter++
  const name = `w${process.pid}-${counter}.example.com`
  const path = `${group}/${kind}webhookconfigurations`
  let reached = false
  const clientConfig = webhook.at(`/${counter}`, request => {
    if (request.name === 'probe') {
      reached = true
      return { allowed: true }
    }
    return answers(request)
  })
  await cluster.api.post(path, {
    metadata: { name },
    webhooks: [
      {
        name: `a.${name}`,
        admissionReviewVersions: ['v1'],
        sideEffects: 'None',
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        rules: [rule(['configmaps'])],
        clientConfig,
        timeoutSeconds: 1,
        ...more,
      },
    ],
  })
  made.push(`${path}/${name}`)
  if (more.clientConfig !== undefined || more.rules !== undefined || more.failurePolicy !== undefined) {
    // A webhook that cannot be probed: one that can is known soon after.
    await settled()
    return
  }
  await eventually(async () => {
    await cluster.api.ask('POST', `${maps}?dryRun=All`, { body: { metadata: { name: 'probe' } } })
    return reached
  }, Boolean)
  webhook.seen.length = 0
}

/** Waits until the API server has taken notice of all configurations up to now: they are known in the order in which they came. */
async function settled(): Promise<void> {
  const [before, beforeMaps] = [namespace, maps]
  await configured('validating', () => ({ allowed: true }))
  namespace = before
  maps = beforeMaps
  webhook.seen.length = 0
}

const tried = (name: string, data: Json = {}, labels: Json = {}) =>
  cluster.api.ask('POST', maps, { body: { metadata: { name, labels }, data } })

describe('a validating webhook', () => {
  it('is asked about what happens, with who does it, and the objects', async () => {
    await configured('validating', () => ({ allowed: true }))
    const created = (await tried('a', { x: '1' })).body
    await cluster.api.put(`${maps}/a`, { ...created, data: { x: '2' } })
    await cluster.api.delete(`${maps}/a`)
    expect(webhook.seen.map(({ operation, name }) => `${operation} ${name}`)).toEqual([
      'CREATE a',
      'UPDATE a',
      'DELETE a',
    ])
    expect(webhook.seen[0]).toMatchObject({
      kind: { group: '', version: 'v1', kind: 'ConfigMap' },
      resource: { group: '', version: 'v1', resource: 'configmaps' },
      requestKind: { group: '', version: 'v1', kind: 'ConfigMap' },
      namespace,
      userInfo: { username: expect.any(String), groups: expect.arrayContaining(['system:masters']) },
      object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a', namespace }, data: { x: '1' } },
      oldObject: null,
      dryRun: false,
    })
    expect(webhook.seen[1]).toMatchObject({ object: { data: { x: '2' } }, oldObject: { data: { x: '1' } } })
    expect(webhook.seen[2]).toMatchObject({ object: null, oldObject: { data: { x: '2' } } })
  })

  it('can refuse, in its own words and with its own code', async () => {
    await configured('validating', ({ object }) =>
      object.data.x === 'bad'
        ? { allowed: false, status: { message: 'x is bad', reason: 'Forbidden', code: 403 } }
        : { allowed: object.data.x !== 'worse', warnings: ['take care'] },
    )
    const bad = await tried('bad', { x: 'bad' })
    expect([bad.code, bad.body.reason]).toEqual([403, 'Forbidden'])
    expect(bad.body.message).toMatch(/^admission webhook "a\.w.*" denied the request: x is bad$/)
    const worse = await tried('worse', { x: 'worse' })
    expect(worse.code).toBe(400)
    expect(worse.body.message).toContain('denied the request without explanation')
    const good = await tried('good', { x: 'good' })
    expect([good.code, good.headers.warning]).toEqual([201, expect.stringContaining('take care')])
    const { items } = await cluster.api.get(`${maps}?fieldSelector=metadata.name!=kube-root-ca.crt`)
    expect(items.map((item: Json) => item.metadata.name)).toEqual(['good'])
  })

  it('is asked only about objects that it has selected', async () => {
    await configured('validating', () => ({ allowed: false }), {
      objectSelector: { matchLabels: { checked: 'yes' } },
      rules: [rule(['configmaps'], ['CREATE'])],
    })
    expect((await tried('unlabelled')).code).toBe(201)
    expect((await tried('labelled', {}, { checked: 'yes' })).code).toBe(400)
    expect(webhook.seen).toHaveLength(1)
  })

  it('is asked about a status only where it wants to be', async () => {
    await configured('validating', () => ({ allowed: true }), { rules: [rule(['services/status'])] })
    const services = `/api/v1/namespaces/${namespace}/services`
    await cluster.api.post(services, {
      metadata: { name: 'a' },
      spec: { type: 'LoadBalancer', ports: [{ port: 1 }] },
    })
    await cluster.api.patch(`${services}/a/status`, 'merge', {
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
    })
    expect(webhook.seen.map(({ operation, subResource }) => `${operation} ${subResource}`)).toEqual([
      'UPDATE status',
    ])
  })

  it('can have conditions of its own', async context => {
    cluster.since(28, context)
    await configured('validating', () => ({ allowed: false }), {
      rules: [rule(['configmaps'], ['CREATE'])],
      matchConditions: [{ name: 'only-x', expression: "object.metadata.name.startsWith('x')" }],
    })
    expect((await tried('a')).code).toBe(201)
    expect((await tried('x')).code).toBe(400)
  })

  it('that cannot be reached stops everything, or nothing, as its policy says', async () => {
    const nowhere = { url: 'https://127.0.0.1:1/', caBundle: webhook.caBundle }
    await configured('validating', () => undefined, { clientConfig: nowhere })
    const failed = await tried('a')
    expect([failed.code, failed.body.reason]).toEqual([500, 'InternalError'])
    expect(failed.body.message).toMatch(/failed calling webhook "a\.w.*": .*Post/)
    await configured('validating', () => undefined, { clientConfig: nowhere, failurePolicy: 'Ignore' })
    expect((await tried('a')).code).toBe(201)
  })

  it('has to bear a certificate of the authority in its configuration', async () => {
    await using stranger = await Webhook.start()
    const { url } = stranger.at('/', () => ({ allowed: true }))
    await configured('validating', () => undefined, { clientConfig: { url, caBundle: webhook.caBundle } })
    const { code, body } = await tried('a')
    expect([code, body.reason]).toEqual([500, 'InternalError'])
    expect(stranger.seen).toEqual([])
  })

  it('that does not answer in time counts as one that cannot be reached', async () => {
    await configured('validating', () => undefined)
    const { code, body } = await tried('a')
    expect([code, body.reason]).toEqual([500, 'InternalError'])
    expect(body.message).toContain('context deadline exceeded')
  })

  it('has to fit the rules of its own configuration', async () => {
    const path = `${group}/validatingwebhookconfigurations`
    const one = {
      name: 'a.example.com',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      clientConfig: { url: 'https://a.b/' },
    }
    for (const wrong of [
      { sideEffects: 'Some' },
      { admissionReviewVersions: [] },
      { name: 'short' },
      { clientConfig: { url: 'http://a.b/' } },
      { clientConfig: {} },
      { timeoutSeconds: 31 },
    ]) {
      const { code } = await cluster.api.ask('POST', `${path}?dryRun=All`, {
        body: { metadata: { name: 'wrong' }, webhooks: [{ ...one, ...wrong }] },
      })
      expect([JSON.stringify(wrong), code]).toEqual([JSON.stringify(wrong), 422])
    }
  })
})

describe('a mutating webhook', () => {
  const patch = (operations: Json): Json => ({
    allowed: true,
    patchType: 'JSONPatch',
    patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
  })

  it('changes what is stored', async () => {
    await configured('mutating', ({ object }) =>
      patch([{ op: 'add', path: '/data', value: { ...object.data, added: 'yes' } }]),
    )
    expect((await tried('a', { x: '1' })).body.data).toEqual({ x: '1', added: 'yes' })
    expect((await cluster.api.get(`${maps}/a`)).data).toEqual({ x: '1', added: 'yes' })
  })

  it('is asked before those that only judge', async () => {
    await configured('mutating', () => patch([{ op: 'add', path: '/data', value: { x: 'bad' } }]))
    const [here, mine] = [namespace, maps]
    await configured('validating', ({ object }) => ({ allowed: object.data.x !== 'bad' }), {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': here } },
      rules: [rule(['configmaps'])],
    })
    namespace = here
    maps = mine
    expect((await tried('a', { x: 'good' })).code).toBe(400)
  })
})

describe('a custom resource with a conversion webhook', () => {
  const definition = (clientConfig: Json, plural: string, kind: string): Json => ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.example.com` },
    spec: {
      group: 'example.com',
      scope: 'Namespaced',
      names: { plural, singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
      conversion: { strategy: 'Webhook', webhook: { clientConfig, conversionReviewVersions: ['v1'] } },
      versions: ['v1', 'v2'].map(name => ({
        name,
        served: true,
        storage: name === 'v2',
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: {
                type: 'object',
                properties: name === 'v1' ? { seconds: { type: 'integer' } } : { time: { type: 'string' } },
              },
            },
          },
        },
      })),
    },
  })

  const convert: Answers = ({ desiredAPIVersion, objects }) => ({
    result: { status: 'Success' },
    convertedObjects: objects.map(({ spec, ...object }: Json) => ({
      ...object,
      apiVersion: desiredAPIVersion,
      spec: desiredAPIVersion.endsWith('v2')
        ? { time: `${spec.seconds}s` }
        : { seconds: Number.parseInt(spec.time, 10) },
    })),
  })

  it('is read, listed, watched and written in either version', async () => {
    await define(cluster.api, definition(webhook.at('/convert', convert), 'timers', 'Timer'))
    const inNamespace = await cluster.namespace()
    const timers = (version: string): string =>
      `/apis/example.com/${version}/namespaces/${inNamespace}/timers`
    const watch = await cluster.api.watch(timers('v1'))
    const old = { apiVersion: 'example.com/v1', kind: 'Timer', metadata: { name: 'a' }, spec: { seconds: 5 } }
    expect((await cluster.api.post(timers('v1'), old)).spec).toEqual({ seconds: 5 })
    expect((await cluster.api.get(`${timers('v2')}/a`)).spec).toEqual({ time: '5s' })
    await cluster.api.patch(`${timers('v2')}/a`, 'merge', { spec: { time: '7s' } })
    expect((await cluster.api.get(timers('v1'))).items.map((item: Json) => item.spec)).toEqual([
      { seconds: 7 },
    ])
    const events = [await watch.next(), await watch.next()]
    expect(events.map(event => [event?.type, event?.object.apiVersion, event?.object.spec])).toEqual([
      ['ADDED', 'example.com/v1', { seconds: 5 }],
      ['MODIFIED', 'example.com/v1', { seconds: 7 }],
    ])
    watch.close()
  })

  it('is shown to other webhooks in the version that they know', async () => {
    const clientConfig = webhook.at('/equivalent', convert)
    await define(cluster.api, definition(clientConfig, 'watches', 'Watch'))
    const seen: Json[] = []
    await configured(
      'validating',
      request => {
        seen.push(request)
        return { allowed: true }
      },
      {
        rules: [
          { apiGroups: ['example.com'], apiVersions: ['v1'], resources: ['watches'], operations: ['CREATE'] },
        ],
      },
    )
    const watch = {
      apiVersion: 'example.com/v2',
      kind: 'Watch',
      metadata: { name: 'a' },
      spec: { time: '5s' },
    }
    await cluster.api.post(`/apis/example.com/v2/namespaces/${namespace}/watches`, watch)
    expect(seen).toMatchObject([
      {
        kind: { version: 'v1', kind: 'Watch' },
        requestKind: { version: 'v2', kind: 'Watch' },
        object: { apiVersion: 'example.com/v1', spec: { seconds: 5 } },
      },
    ])
  })

  it('is only there in the version that is stored while the webhook fails', async () => {
    const failing: Answers = () => ({
      result: { status: 'Failure', message: 'no idea' },
      convertedObjects: [],
    })
    const broken = definition(webhook.at('/fail', failing), 'clocks', 'Clock')
    await define(cluster.api, broken)
    const inNamespace = await cluster.namespace()
    const clocks = (version: string): string =>
      `/apis/example.com/${version}/namespaces/${inNamespace}/clocks`
    const clock = {
      apiVersion: 'example.com/v2',
      kind: 'Clock',
      metadata: { name: 'a' },
      spec: { time: '5s' },
    }
    await cluster.api.post(clocks('v2'), clock)
    expect((await cluster.api.get(`${clocks('v2')}/a`)).spec).toEqual({ time: '5s' })
    const { code, body } = await cluster.api.ask('GET', `${clocks('v1')}/a`)
    expect(code).toBe(500)
    expect(body.message).toContain('no idea')
  })
})
