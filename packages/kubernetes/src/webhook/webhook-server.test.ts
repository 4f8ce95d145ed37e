import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { connect as connectTls, type SecureVersion } from 'node:tls'
import { emptySnapshot, type Snapshot } from '@carillon/core'
import { FakeClock, RecordingLogger, RecordingMetrics } from '@carillon/core/testing'
import { EventEmitter } from 'eventemitter3'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Certificates, CertificatesEvents, ServingCertificate } from '../certificates/certificates.ts'
import { issueLeaf, makeAuthority } from '../certificates/x509.ts'
import { Client } from '../client/index.ts'
import { snapshotOf, type Written, write } from '../support/configuration.ts'
import { ScriptedPeer } from '../support/scripted-peer.ts'
import { WebhookServer, type WebhookServerOptions } from './webhook-server.ts'

const day = 86_400_000
const times = { from: new Date(Date.now() - day), to: new Date(Date.now() + day) }
const authority = makeAuthority({ commonName: 'tests', ...times })
const issue = (): ServingCertificate =>
  issueLeaf({ commonName: 'tests', key: authority.key }, { commonName: 'x', hosts: ['127.0.0.1'], ...times })

/** Certificates that change when a test says so. */
class Given implements Certificates {
  readonly events: EventEmitter<CertificatesEvents> = new EventEmitter()
  #current = issue()
  start = async (): Promise<ServingCertificate> => this.#current
  current = (): ServingCertificate => this.#current
  status = (): object => ({})
  change(): void {
    this.#current = issue()
    this.events.emit('certificate:changed', this.#current)
  }
  async [Symbol.asyncDispose](): Promise<void> {}
}

const namespace = 'metallb-system'
const poolPath = '/validate-metallb-io-v1beta1-ipaddresspool'

let clock: FakeClock
let log: RecordingLogger
let metrics: RecordingMetrics
let certificates: Given
let server: WebhookServer
let snapshot: Snapshot

async function serve(options: Partial<WebhookServerOptions> = {}): Promise<void> {
  server = new WebhookServer({
    at: { address: '127.0.0.1', port: 0 },
    source: { current: () => snapshot },
    namespace,
    certificates,
    clock,
    log,
    metrics,
    ...options,
  })
  await server.start()
}

beforeEach(() => {
  clock = new FakeClock()
  log = new RecordingLogger()
  metrics = new RecordingMetrics()
  certificates = new Given()
  snapshot = emptySnapshot
})
afterEach(() => server[Symbol.asyncDispose]())

interface Answer {
  readonly status: number
  readonly text: string
}

const asking = (path: string, method = 'POST') =>
  request({
    host: '127.0.0.1',
    port: server.local.port,
    path,
    method,
    ca: authority.certificate,
    agent: false,
  })

async function ask(path: string, body: string | Uint8Array, method = 'POST'): Promise<Answer> {
  const asked = asking(path, method)
  asked.end(body)
  const [answer] = (await once(asked, 'response')) as [IncomingMessage]
  let text = ''
  for await (const chunk of answer) text += chunk
  return { status: answer.statusCode ?? 0, text }
}

const review = (object: Written, more: object = {}): string =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u-1',
      kind: { group: 'metallb.io', version: 'v1beta1', kind: object.kind },
      operation: 'CREATE',
      namespace,
      name: 'first',
      userInfo: { username: 'someone' },
      object,
      ...more,
    },
  })

async function verdict(body: string, path = `${poolPath}?timeout=10s`): Promise<Record<string, unknown>> {
  const { status, text } = await ask(path, body)
  expect(status).toBe(200)
  const answer = JSON.parse(text)
  expect(answer).toMatchObject({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: { uid: 'u-1' },
  })
  return answer.response
}

const first = write.pool('first', ['192.0.2.0/24'])

describe('an admission review', () => {
  it('is answered with a verdict, and counted', async () => {
    await serve()
    expect(await verdict(review(first))).toEqual({ uid: 'u-1', allowed: true })
    snapshot = snapshotOf(write.pool('a', ['192.0.2.0/24']))
    expect(await verdict(review(first))).toEqual({
      uid: 'u-1',
      allowed: false,
      status: {
        code: 403,
        reason: 'Forbidden',
        message: expect.stringMatching(/^IPAddressPool "first" spec.addresses\[0\]: 192.0.2.0\/24 overlaps/),
      },
    })
    for (const result of ['allowed', 'denied'])
      expect(metrics.value('carillon_webhook_requests_total', { path: poolPath, result })).toBe(1)
    expect(log.lines).toContainEqual(
      expect.objectContaining({
        message: 'a change was refused',
        fields: expect.objectContaining({ user: 'someone', operation: 'CREATE', name: 'first' }),
      }),
    )
  })

  it('of a subresource is none of our business', async () => {
    await serve()
    const bad = write.pool('first', ['nonsense'])
    expect(await verdict(review(bad, { subResource: 'status', operation: 'UPDATE' }))).toMatchObject({
      allowed: true,
    })
  })

  it('that leaves much to be said says no more than Kubernetes passes on', async () => {
    await serve()
    const names = Array.from({ length: 200 }, (_, i) => `pool-${i}`)
    const ad = write.l2('first', { ipAddressPools: names })
    const { warnings } = await verdict(review(ad), '/validate-metallb-io-v1beta1-l2advertisement')
    const lines = warnings as readonly string[]
    expect(lines.join('').length).toBeLessThan(4096)
    expect(lines.at(-1)).toMatch(/^and \d+ more warnings$/)
    const pools = write.pool('first', names)
    const { status } = await verdict(review(pools))
    expect((status as { message: string }).message).toMatch(/\nand 180 more problems$/)
  })
})

describe('what is no review is answered with a status code and a reason', () => {
  const broken = (change: object): string => JSON.stringify({ ...JSON.parse(review(first)), ...change })
  it.each<readonly [string, string, string, string, number, string]>([
    ['another path', 'POST', '/validate', review(first), 404, 'there is no webhook at /validate'],
    ['another method', 'GET', poolPath, '', 405, 'webhooks are asked by POST'],
    ['nothing', 'POST', poolPath, '', 400, 'the body is not JSON'],
    [
      'a list',
      'POST',
      poolPath,
      '[]',
      400,
      'the body is no object: AdmissionReview of admission.k8s.io/v1 is expected here',
    ],
    [
      'another version',
      'POST',
      poolPath,
      broken({ apiVersion: 'admission.k8s.io/v1beta1' }),
      400,
      'the body is admission.k8s.io/v1beta1 AdmissionReview: AdmissionReview of admission.k8s.io/v1 is expected here',
    ],
    ['no request', 'POST', poolPath, broken({ request: null }), 400, 'has no request with a uid'],
    [
      'another kind',
      'POST',
      poolPath,
      review(write.bfd('first')),
      400,
      'this is the webhook for IPAddressPool, and the request is about BFDProfile',
    ],
    [
      'no object',
      'POST',
      poolPath,
      review(first, { object: 7 }),
      400,
      'CREATE of IPAddressPool has no object',
    ],
    [
      'an admission review to be converted',
      'POST',
      '/convert',
      review(first),
      400,
      'ConversionReview of apiextensions.k8s.io/v1 is expected here',
    ],
  ])('%s', async (_, method, path, body, status, reason) => {
    await serve()
    const answer = await ask(path, body, method)
    expect(answer.status).toBe(status)
    expect(answer.text).toContain(reason)
  })

  it('whatever it is', async () => {
    await serve()
    const value = fc.jsonValue({ maxDepth: 4 })
    const object = fc.record(
      {
        apiVersion: fc.oneof(fc.constant('metallb.io/v1beta2'), value),
        kind: fc.oneof(fc.constant('BGPPeer'), value),
        metadata: value,
        spec: value,
      },
      { requiredKeys: [] },
    )
    const inside = fc.record({
      uid: fc.constant('u-1'),
      kind: fc.constant({ kind: 'BGPPeer' }),
      operation: fc.oneof(fc.constantFrom('CREATE', 'UPDATE', 'DELETE', 'CONNECT'), value),
      object: fc.oneof(object, value),
      objects: fc.oneof(fc.array(object), value),
      desiredAPIVersion: fc.oneof(fc.constantFrom('metallb.io/v1beta1', 'metallb.io/v1beta2'), value),
      namespace: fc.oneof(fc.constant(namespace), value),
      name: value,
    })
    const envelope = fc
      .tuple(
        fc.constantFrom(
          ['admission.k8s.io/v1', 'AdmissionReview'],
          ['apiextensions.k8s.io/v1', 'ConversionReview'],
        ),
        fc.oneof(inside, value),
      )
      .map(([[apiVersion, kind], asked]) => JSON.stringify({ apiVersion, kind, request: asked }))
    const path = fc.constantFrom('/convert', '/validate-metallb-io-v1beta2-bgppeer')
    await fc.assert(
      fc.asyncProperty(path, fc.oneof(envelope, fc.uint8Array(), fc.json()), async (to, body) => {
        expect([200, 400]).toContain((await ask(to, body)).status)
      }),
      { numRuns: 150 },
    )
    expect(log.lines.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('deeply nested', async () => {
    await serve()
    const depth = 200_000
    const body = review(first).replace('"192.0.2.0/24"', `${'['.repeat(depth)}${']'.repeat(depth)}`)
    expect([200, 400, 500]).toContain((await ask(poolPath, body)).status)
    expect(await verdict(review(first))).toMatchObject({ allowed: true })
  })
})

describe('a request', () => {
  it('that is too large is not read', async () => {
    await serve({ maxBodyBytes: 1000 })
    expect(await ask(poolPath, 'x'.repeat(1001))).toMatchObject({
      status: 413,
      text: 'the request is larger than 1000 bytes\n',
    })
    expect(metrics.value('carillon_webhook_requests_total', { path: poolPath, result: 'too-large' })).toBe(1)
  })

  it('that never ends is given up', async () => {
    await serve({ bodyTimeoutMs: 10_000 })
    const asked = asking(poolPath)
    asked.write('{')
    const answered = once(asked, 'response')
    while (clock.pending === 0) await new Promise(resolve => setImmediate(resolve))
    clock.advance(10_000)
    const [answer] = (await answered) as [IncomingMessage]
    expect(answer.statusCode).toBe(408)
    asked.destroy()
  })

  it('that is broken off is counted, and nothing else', async () => {
    await serve()
    const asked = asking(poolPath)
    asked.on('error', () => {})
    asked.write('{')
    while (clock.pending === 0) await new Promise(resolve => setImmediate(resolve))
    asked.destroy()
    const count = () =>
      metrics.value('carillon_webhook_requests_total', { path: poolPath, result: 'malformed' })
    while (count() === undefined) await new Promise(resolve => setImmediate(resolve))
    expect(clock.pending).toBe(0)
  })

  it('that is under way is answered when the server closes', async () => {
    await serve()
    const asked = asking(poolPath)
    const [head, tail] = [review(first).slice(0, 10), review(first).slice(10)]
    asked.write(head)
    const answered = once(asked, 'response')
    while (clock.pending === 0) await new Promise(resolve => setImmediate(resolve))
    const closed = server[Symbol.asyncDispose]()
    asked.end(tail)
    const [answer] = (await answered) as [IncomingMessage]
    expect(answer.statusCode).toBe(200)
    answer.resume()
    await closed
  })
})

describe('with a client, objects are read anew', () => {
  it('and what the source knows of them does not count', async () => {
    const peer = new ScriptedPeer()
    snapshot = snapshotOf(write.pool('gone', ['192.0.2.0/24']))
    await serve({ client: new Client({ transport: peer, clock }) })
    const asked = verdict(review(first))
    while (peer.pending.length < 8) await new Promise(resolve => setImmediate(resolve))
    for (let i = 0; i < 8; i++) {
      const list = await peer.next()
      if (list.path.endsWith('/communities')) await list.refuse(404, 'NotFound')
      else await list.list('1', [])
    }
    expect(await asked).toEqual({ uid: 'u-1', allowed: true })
  })

  it('with the Secrets beside them; Nodes only where none are known', async () => {
    const peer = new ScriptedPeer()
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } }
    snapshot = snapshotOf(node)
    await serve({ client: new Client({ transport: peer, clock }) })
    const asked = verdict(
      review(write.peer('first', { passwordSecret: { name: 'key' } })),
      '/validate-metallb-io-v1beta2-bgppeer',
    )
    while (peer.pending.length < 7) await new Promise(resolve => setImmediate(resolve))
    for (let i = 0; i < 7; i++) {
      const list = await peer.next()
      await list.list('1', list.path.endsWith('/secrets') ? [write.secret('key')] : [])
    }
    expect(await asked).toEqual({ uid: 'u-1', allowed: true })
    expect(peer.log.some(line => line.includes('/nodes'))).toBe(false)
  })

  it('without a word about Secrets that the account may not list', async () => {
    const peer = new ScriptedPeer()
    snapshot = snapshotOf({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } })
    await serve({ client: new Client({ transport: peer, clock }) })
    const asked = verdict(
      review(write.peer('first', { passwordSecret: { name: 'key' } })),
      '/validate-metallb-io-v1beta2-bgppeer',
    )
    while (peer.pending.length < 7) await new Promise(resolve => setImmediate(resolve))
    for (let i = 0; i < 7; i++) {
      const list = await peer.next()
      if (list.path.includes('/secrets')) await list.refuse(403, 'Forbidden')
      else await list.list('1', [])
    }
    expect(await asked).toEqual({ uid: 'u-1', allowed: true })
    expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([])
  })

  it('unless the API server does not answer in time', async () => {
    const peer = new ScriptedPeer()
    snapshot = snapshotOf(write.pool('known', ['192.0.2.0/24']))
    await serve({ client: new Client({ transport: peer, clock }), readTimeoutMs: 3000 })
    const asked = verdict(review(first))
    while (peer.pending.length < 8) await new Promise(resolve => setImmediate(resolve))
    for (let i = 0; i < 8; i++) await peer.next()
    clock.advance(3000)
    expect(await asked).toMatchObject({ allowed: false })
    expect(log.lines).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        message: 'a webhook decides by what was known before, since the API server does not answer it',
      }),
    )
  })
})

describe('a conversion review', () => {
  const peer = (version: string, name: string, spec: object = {}) => ({
    apiVersion: `metallb.io/${version}`,
    kind: 'BGPPeer',
    metadata: { name, namespace },
    spec: { myASN: 1, peerASN: 2, peerAddress: '192.0.2.1', ...spec },
  })
  const convert = async (desiredAPIVersion: string, objects: readonly unknown[]) => {
    await serve()
    const body = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'ConversionReview',
      request: { uid: 'u-2', desiredAPIVersion, objects },
    }
    const { status, text } = await ask('/convert?timeout=30s', JSON.stringify(body))
    expect(status).toBe(200)
    return JSON.parse(text).response
  }

  it('has all its objects in the version that is asked for, in their order', async () => {
    const objects = [peer('v1beta2', 'a', { vrf: 'red' }), peer('v1beta1', 'b'), peer('v1beta2', 'c')]
    const { uid, result, convertedObjects } = await convert('metallb.io/v1beta1', objects)
    expect([uid, result]).toEqual(['u-2', { status: 'Success' }])
    expect(
      convertedObjects.map((one: (typeof objects)[number]) => [one.apiVersion, one.metadata.name]),
    ).toEqual([
      ['metallb.io/v1beta1', 'a'],
      ['metallb.io/v1beta1', 'b'],
      ['metallb.io/v1beta1', 'c'],
    ])
    expect(convertedObjects[1]).toEqual(objects[1])
    expect(metrics.value('carillon_webhook_requests_total', { path: '/convert', result: 'converted' })).toBe(
      1,
    )
  })

  it('may be empty', async () => {
    expect(await convert('metallb.io/v1beta2', [])).toEqual({
      uid: 'u-2',
      result: { status: 'Success' },
      convertedObjects: [],
    })
  })

  it('fails as a whole, and says why of each object that cannot be converted', async () => {
    const other = { apiVersion: 'metallb.io/v1beta1', kind: 'BFDProfile', metadata: { name: 'fast' } }
    expect(
      await convert('metallb.io/v1beta2', [peer('v1beta1', 'a'), other, 7, peer('v1alpha1', 'old')]),
    ).toEqual({
      uid: 'u-2',
      result: {
        status: 'Failure',
        message: [
          'fast: there is no conversion from metallb.io/v1beta1 BFDProfile',
          'objects[2]: it is no object',
          'metallb-system/old: there is no conversion from metallb.io/v1alpha1 BGPPeer',
        ].join('\n'),
      },
      convertedObjects: [],
    })
  })

  it('to a version that does not exist fails', async () => {
    const { result } = await convert('metallb.io/v1', [peer('v1beta1', 'a')])
    expect(result).toEqual({
      status: 'Failure',
      message: 'cannot convert to metallb.io/v1: there are metallb.io/v1beta1 and metallb.io/v1beta2',
    })
  })
})

describe('TLS', () => {
  const shake = (options: {
    readonly maxVersion?: SecureVersion
    readonly ciphers?: string
  }): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connectTls(
        {
          host: '127.0.0.1',
          port: server.local.port,
          ca: authority.certificate,
          minVersion: 'TLSv1.2',
          ...options,
        },
        () => {
          resolve(`${socket.getProtocol()} ${socket.getPeerCertificate().serialNumber}`)
          socket.destroy()
        },
      )
      socket.on('error', reject)
    })

  it('is 1.3, and 1.2 only where that is allowed', async () => {
    await serve()
    expect(await shake({})).toMatch(/^TLSv1.3 /)
    await expect(shake({ maxVersion: 'TLSv1.2' })).rejects.toThrow()
    await server[Symbol.asyncDispose]()
    const cipherSuites = ['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384']
    await serve({ tls: { minVersion: 'VersionTLS12', cipherSuites } })
    expect(await shake({ maxVersion: 'TLSv1.2' })).toMatch(/^TLSv1.2 /)
    await expect(shake({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })).rejects.toThrow()
  })

  it('shows a new certificate to new connections', async () => {
    await serve()
    const before = await shake({})
    certificates.change()
    expect(await shake({})).not.toBe(before)
    expect(await verdict(review(first))).toMatchObject({ allowed: true })
  })
})

it('a port that is taken is an error that names it', async () => {
  await serve()
  const other = new WebhookServer({
    at: server.local,
    source: { current: () => snapshot },
    namespace,
    certificates,
    clock,
  })
  await expect(other.start()).rejects.toMatchObject({
    code: 'WEBHOOK_UNAVAILABLE',
    message: expect.stringContaining(`127.0.0.1:${server.local.port}`),
  })
})
