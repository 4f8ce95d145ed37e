import { FakeClock, RecordingMetrics } from '@carillon/core/testing'
import { describe, expect, it } from 'vitest'
import { ScriptedPeer } from '../support/scripted-peer.ts'
import { Client } from './client.ts'
import type { WatchEvent } from './object.ts'
import { resourceTypes } from './resource-type.ts'

const { services, ipAddressPools, nodes, leases } = resourceTypes

function story() {
  const peer = new ScriptedPeer()
  const clock = new FakeClock()
  const metrics = new RecordingMetrics()
  return { peer, clock, metrics, client: new Client({ transport: peer, clock, metrics }) }
}

const outcome = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error)

describe('what the API server refuses is an error that names verb and resource', () => {
  it.each([
    [
      403,
      'Forbidden',
      'User "x" cannot list resource',
      'API_FORBIDDEN',
      'may not list ipaddresspools.metallb.io in metallb-system: give the account the verb "list" on this resource by RBAC: User "x" cannot list resource',
    ],
    [
      401,
      'Unauthorized',
      'Unauthorized',
      'API_UNAUTHORIZED',
      'cannot list ipaddresspools.metallb.io in metallb-system: the API server does not accept the credentials: Unauthorized',
    ],
    [
      404,
      'NotFound',
      'the server could not find the requested resource',
      'API_NO_SUCH_RESOURCE',
      'cannot list ipaddresspools.metallb.io in metallb-system: the API server does not know this resource; install its CustomResourceDefinition',
    ],
    [
      410,
      'Expired',
      'The provided continue parameter is too old',
      'API_GONE',
      'cannot list ipaddresspools.metallb.io in metallb-system: the resource version is too old: The provided continue parameter is too old',
    ],
    [
      500,
      'InternalError',
      'etcd is away',
      'API_FAILED',
      'cannot list ipaddresspools.metallb.io in metallb-system: the API server answered 500: etcd is away',
    ],
    [
      400,
      'BadRequest',
      'no',
      'API_INVALID',
      'cannot list ipaddresspools.metallb.io in metallb-system: the API server finds it invalid: no',
    ],
  ])('%i', async (code, reason, said, name, message) => {
    const { peer, client } = story()
    const listed = outcome(client.list(ipAddressPools, { namespace: 'metallb-system' }))
    const request = await peer.next()
    expect(request.path).toBe('/apis/metallb.io/v1beta1/namespaces/metallb-system/ipaddresspools')
    await request.refuse(code, reason, said)
    // Credentials that were not accepted are obtained anew, once.
    if (code === 401) await (await peer.next()).refuse(code, reason, said)
    expect(await listed).toMatchObject({ code: name, message })
    expect(peer.pending).toHaveLength(0)
  })

  it('says how long to stay away, by header or by body', async () => {
    const { peer, client } = story()
    const first = outcome(client.list(services))
    await (await peer.next()).reply(429, 'slow down', { 'retry-after': '7' })
    expect(await first).toMatchObject({
      code: 'API_BUSY',
      message:
        'cannot list services in all namespaces now: the API server asks to come back in 7 s: slow down',
      details: { retryAfterMs: 7000 },
    })
    const second = outcome(client.list(services))
    await (await peer.next()).refuse(503, 'ServiceUnavailable', '', { retryAfterSeconds: 2 })
    expect(await second).toMatchObject({ code: 'API_BUSY', details: { retryAfterMs: 2000 } })
  })

  it('tells an object that is not there from a resource that is not there', async () => {
    const { peer, client } = story()
    const name = { namespace: 'kube-system', name: 'leader' }
    const object = outcome(client.get(leases, name))
    await (await peer.next()).refuse(404, 'NotFound', 'leases "leader" not found', {
      name: 'leader',
      kind: 'leases',
    })
    expect(await object).toMatchObject({
      code: 'API_NOT_FOUND',
      message: 'cannot get leases.coordination.k8s.io kube-system/leader: there is no such object',
    })
    const resource = outcome(client.get(leases, name))
    await (await peer.next()).reply(404, '404 page not found\n')
    expect(await resource).toMatchObject({ code: 'API_NO_SUCH_RESOURCE' })
  })

  it('tells an object that is there already from one that was changed', async () => {
    const { peer, client } = story()
    const object = { metadata: { namespace: 'a', name: 'b' } }
    const created = outcome(client.create(leases, object))
    await (await peer.next()).refuse(409, 'AlreadyExists', 'leases "b" already exists', { name: 'b' })
    expect(await created).toMatchObject({ code: 'API_EXISTS' })
    const patched = outcome(client.patch(leases, object.metadata, {}))
    await (await peer.next()).refuse(409, 'Conflict', 'the object has been modified', { name: 'b' })
    expect(await patched).toMatchObject({ code: 'API_CONFLICT' })
  })
})

describe('a server that does not answer', () => {
  it('is waited for only so long', async () => {
    const { peer, clock, client } = story()
    const listed = outcome(client.list(services, { timeoutMs: 5000 }))
    const request = await peer.next()
    await clock.advanceAsync(4999)
    expect(request.given).toBe(false)
    await clock.advanceAsync(1)
    expect(request.given).toBe(true)
    expect(await listed).toMatchObject({
      code: 'API_TIMEOUT',
      message: 'cannot list services in all namespaces: https://api.test:6443 did not answer within 5 s',
    })
    expect(clock.pending).toBe(0)
  })

  it('is out of reach, and is named', async () => {
    const { peer, client } = story()
    const listed = outcome(client.list(nodes))
    await (await peer.next()).break('ECONNREFUSED')
    expect(await listed).toMatchObject({
      code: 'API_UNREACHABLE',
      message: 'cannot list nodes: https://api.test:6443 is out of reach: nobody listens there',
    })
  })

  it('is told apart from one whose certificate is not trusted', async () => {
    const { peer, client } = story()
    const listed = outcome(client.list(nodes))
    await (await peer.next()).break('DEPTH_ZERO_SELF_SIGNED_CERT')
    // Certificates are read anew, once.
    expect(peer.renewals).toBe(1)
    await (await peer.next()).break('DEPTH_ZERO_SELF_SIGNED_CERT')
    expect(await listed).toMatchObject({ code: 'API_UNTRUSTED' })
  })

  it('is not waited for by one who gives up', async () => {
    const { peer, client } = story()
    const stop = new AbortController()
    const listed = outcome(client.list(nodes, { signal: stop.signal }))
    await peer.next()
    stop.abort()
    expect(await listed).toMatchObject({ code: 'API_CANCELLED' })
    expect(await outcome(client.list(nodes, { signal: stop.signal }))).toMatchObject({
      code: 'API_CANCELLED',
    })
    expect(peer.log).toHaveLength(1)
  })
})

it('credentials that are not accepted are obtained anew, and the request repeated', async () => {
  const { peer, client, metrics } = story()
  const listed = client.list(nodes)
  await (await peer.next()).refuse(401, 'Unauthorized')
  expect(peer.renewals).toBe(1)
  await (await peer.next()).list('5', [])
  expect(await listed).toEqual({ items: [], resourceVersion: '5' })
  expect(
    metrics.value('carillon_k8s_requests_total', { verb: 'list', resource: 'nodes', result: 'ok' }),
  ).toBe(1)
})

it('a long list comes page by page', async () => {
  const { peer, client } = story()
  const all = client.listAll(services, { namespace: 'a b', limit: 2, labelSelector: 'x=y' })
  const first = await peer.next()
  expect(first.path).toBe('/api/v1/namespaces/a%20b/services')
  expect([...first.query]).toEqual([
    ['labelSelector', 'x=y'],
    ['limit', '2'],
  ])
  await first.list('7', [1, 2], 'more')
  const second = await peer.next()
  expect(second.query.get('continue')).toBe('more')
  await second.list('7', [3])
  expect(await all).toEqual({ items: [1, 2, 3], resourceVersion: '7' })
})

it('an answer that is none is an error', async () => {
  const { peer, client } = story()
  for (const body of ['<html>', { items: [] }, [], 'null', '12']) {
    const listed = outcome(client.list(services))
    await (await peer.next()).reply(200, body)
    expect(await listed).toMatchObject({ code: 'API_BAD_ANSWER' })
  }
})

it('an object is deleted only while it is the one that is meant', async () => {
  const { peer, client } = story()
  const deleted = client.delete(nodes, { name: 'n' }, { uid: 'u-1' })
  const request = await peer.next()
  expect([request.method, request.path]).toEqual(['DELETE', '/api/v1/nodes/n'])
  expect(request.body).toMatchObject({ preconditions: { uid: 'u-1' } })
  await request.reply(200, { kind: 'Status', status: 'Success' })
  await deleted
})

describe('a watch', () => {
  const event = (type: string, name: string, version: string): object => ({
    type,
    object: { metadata: { name, resourceVersion: version } },
  })

  async function watching() {
    const parts = story()
    const seen: (readonly WatchEvent[])[] = []
    let opened = 0
    const done = outcome(
      parts.client
        .watch(services, {
          resourceVersion: '10',
          timeoutSeconds: 300,
          opened: () => opened++,
          events: events => seen.push(events),
        })
        .then(() => 'ended'),
    )
    const request = await parts.peer.next()
    return { ...parts, seen, done, request, opened: () => opened }
  }

  it('asks for bookmarks from a version on, and tells of what comes at once together', async () => {
    const { request, seen, done, opened, clock } = await watching()
    expect([...request.query]).toEqual([
      ['watch', 'true'],
      ['allowWatchBookmarks', 'true'],
      ['resourceVersion', '10'],
      ['timeoutSeconds', '300'],
    ])
    expect(opened()).toBe(0)
    await request.open()
    expect(opened()).toBe(1)
    // From here on nothing has to come.
    await clock.advanceAsync(3_600_000)
    await request.tell(event('ADDED', 'a', '11'), event('MODIFIED', 'b', '12'))
    await request.bytes('{"type":"BOOKMARK","object":{"metadata":{"resource')
    await request.bytes('Version":"15"}}}\n')
    expect(
      seen.map(events => events.map(({ type, resourceVersion }) => `${type} ${resourceVersion}`)),
    ).toEqual([['ADDED 11', 'MODIFIED 12'], ['BOOKMARK 15']])
    await request.end()
    expect(await done).toBe('ended')
  })

  it('says that its version is too old, at the start or later', async () => {
    const first = await watching()
    await first.request.refuse(410, 'Expired', 'too old resource version')
    expect(await first.done).toMatchObject({ code: 'API_GONE' })
    const second = await watching()
    await second.request.open()
    await second.request.tell({
      type: 'ERROR',
      object: { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version: 1 (2)' },
    })
    expect(await second.done).toMatchObject({
      code: 'API_GONE',
      message:
        'cannot watch services in all namespaces: the resource version is too old: too old resource version: 1 (2)',
    })
  })

  it('that holds something else is refused', async () => {
    for (const text of [
      'oops\n',
      '[]\n',
      '{"type":"ADDED"}\n',
      '{"type":"NEW","object":{"metadata":{"resourceVersion":"1"}}}\n',
    ]) {
      const { request, done } = await watching()
      await request.open()
      await request.bytes(text)
      expect(await done).toMatchObject({ code: 'API_BAD_ANSWER' })
      expect(request.given).toBe(true)
    }
  })

  it('that breaks is an error', async () => {
    const { request, done } = await watching()
    await request.open()
    await request.break()
    expect(await done).toMatchObject({ code: 'API_UNREACHABLE' })
  })
})
