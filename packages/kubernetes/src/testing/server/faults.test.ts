import { FakeClock, settle } from '@carillon/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KubeApiServer } from './server.ts'

let clock: FakeClock
let server: KubeApiServer

beforeEach(async () => {
  clock = new FakeClock(new Date('2026-03-01T00:00:00Z'))
  server = await KubeApiServer.start({ clock })
})
afterEach(() => server.stop())

const services = '/api/v1/namespaces/default/services'

const ask = async (path = services, headers: Record<string, string> = {}): Promise<number> => {
  const response = await fetch(`${server.url}${path}`, { headers })
  await response.text()
  return response.status
}

/** A watch that is open, with what it says, line by line, and how it ended. */
async function watch(
  query = '',
): Promise<{ next(): Promise<{ type: string; object: Record<string, unknown> } | 'ended' | 'broken'> }> {
  const response = await fetch(`${server.url}${services}?watch=true&${query}`)
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  let text = ''
  return {
    async next() {
      for (;;) {
        const end = text.indexOf('\n')
        if (end >= 0) {
          const line = text.slice(0, end)
          text = text.slice(end + 1)
          return JSON.parse(line)
        }
        try {
          const { done, value } = await reader.read()
          if (done) return 'ended'
          text += decoder.decode(value, { stream: true })
        } catch {
          return 'broken'
        }
      }
    },
  }
}

const make = (name: string) =>
  server.store.create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { ports: [{ port: 80 }] },
  })

describe('a fault', () => {
  it('of too many requests says when to come back, and ends after as many as were planned', async () => {
    server.faults.tooManyRequests(2, 7)
    const response = await fetch(`${server.url}${services}`)
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '7'])
    expect(await response.json()).toMatchObject({
      reason: 'TooManyRequests',
      details: { retryAfterSeconds: 7 },
    })
    expect([await ask(), await ask()]).toEqual([429, 200])
  })

  it('can be aimed at a verb and a resource', async () => {
    server.faults.internalErrors(1, { verb: 'list', resource: 'endpointslices.discovery.k8s.io' })
    expect(await ask()).toBe(200)
    expect(await ask('/apis/discovery.k8s.io/v1/endpointslices')).toBe(500)
    expect(await ask('/apis/discovery.k8s.io/v1/endpointslices')).toBe(200)
  })

  it('that is still to come can be called off', async () => {
    server.faults.internalErrors(100)
    server.faults.clear()
    expect(await ask()).toBe(200)
  })

  it('of lost history tells open watches and those that resume: 410', async () => {
    await make('a')
    const { revision } = server
    const open = await watch(`resourceVersion=${revision}`)
    await make('b')
    expect(await open.next()).toMatchObject({ type: 'ADDED' })
    server.faults.gone()
    const expired = { type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } }
    expect(await open.next()).toMatchObject(expired)
    expect(await open.next()).toBe('ended')
    const late = await watch(`resourceVersion=${revision}`)
    expect(await late.next()).toMatchObject(expired)
    const current = await watch(`resourceVersion=${server.revision}`)
    await make('c')
    expect(await current.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'c' } } })
  })

  it('of compaction leaves open watches alone, and ends lists that go on from before', async () => {
    await make('a')
    await make('b')
    const page = (await (await fetch(`${server.url}${services}?limit=1`)).json()) as {
      metadata: { continue: string }
    }
    const open = await watch(`resourceVersion=${server.revision}`)
    await make('c')
    server.faults.compact()
    expect(await open.next()).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'c' } } })
    expect(await ask(`${services}?limit=1&continue=${page.metadata.continue}`)).toBe(410)
  })

  it('of dropped watches breaks them off; ended ones end in good order', async () => {
    const one = await watch(`resourceVersion=${server.revision}`)
    server.faults.dropWatches()
    expect(await one.next()).toBe('broken')
    const two = await watch(`resourceVersion=${server.revision}`)
    server.faults.endWatches()
    expect(await two.next()).toBe('ended')
    expect(server.watches).toBe(0)
  })

  it('of slow answers takes the time of the clock', async () => {
    server.faults.slow(1500)
    let answered = false
    const asked = ask().then(code => {
      answered = true
      return code
    })
    while (clock.pending === 0) await settle()
    clock.advance(1499)
    await settle()
    expect(answered).toBe(false)
    clock.advance(1)
    expect(await asked).toBe(200)
  })

  it('of a server that is down refuses connections, and loses nothing', async () => {
    const { url } = server
    const open = await watch(`resourceVersion=${server.revision}`)
    await server.faults.down()
    expect(await open.next()).toBe('broken')
    await expect(ask()).rejects.toThrow('fetch failed')
    clock.advance(60 * 60 * 1000)
    await make('meanwhile')
    await server.faults.up()
    expect(server.url).toBe(url)
    const list = (await (await fetch(`${url}${services}`)).json()) as {
      items: { metadata: { name: string } }[]
    }
    expect(list.items.map(item => item.metadata.name)).toEqual(['kubernetes', 'meanwhile'])
  })

  it('of an expired token turns away who shows it', async () => {
    await using guarded = await KubeApiServer.start({ clock, authenticate: true })
    const token = guarded.serviceAccountToken('metallb-system', 'speaker')
    const get = async () =>
      (await fetch(`${guarded.url}${services}`, { headers: { authorization: `Bearer ${token}` } })).status
    expect(await get()).toBe(200)
    guarded.faults.expireToken(token)
    expect(await get()).toBe(401)
  })
})

describe('the counters', () => {
  it('tell requests apart by verb and resource', async () => {
    await ask()
    await ask(`${services}/kubernetes`)
    await fetch(`${server.url}${services}/kubernetes/status`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/merge-patch+json' },
      body: '{}',
    })
    await ask('/apis/discovery.k8s.io/v1/endpointslices')
    expect(server.requests.all()).toEqual([
      { verb: 'list', resource: 'endpointslices.discovery.k8s.io', count: 1 },
      { verb: 'get', resource: 'services', count: 1 },
      { verb: 'list', resource: 'services', count: 1 },
      { verb: 'patch', resource: 'services/status', count: 1 },
    ])
    expect([server.requests.count('list'), server.requests.count(undefined, 'services')]).toEqual([2, 2])
    expect([server.requests.writes(), server.requests.writes('services')]).toEqual([1, 0])
    server.requests.reset()
    expect(server.requests.all()).toEqual([])
  })

  it('do not count what a test does without HTTP', async () => {
    await make('a')
    expect(server.requests.all()).toEqual([])
  })
})

describe('time', () => {
  it('is that of the clock, in objects and in tables', async () => {
    const { metadata } = await make('a')
    expect(metadata.creationTimestamp).toBe('2026-03-01T00:00:00Z')
    clock.advance(3 * 60 * 60 * 1000)
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
    const response = await fetch(`${server.url}${services}/a`, { headers: { accept } })
    const table = (await response.json()) as { rows: { cells: unknown[] }[] }
    expect(table.rows[0]?.cells[5]).toBe('3h')
  })

  it('brings bookmarks every minute, and ends watches', async () => {
    const open = await watch(`resourceVersion=${server.revision}&allowWatchBookmarks=true&timeoutSeconds=90`)
    await server.store.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'other' } })
    clock.advance(60_000)
    const metadata = { resourceVersion: String(server.revision) }
    expect(await open.next()).toMatchObject({ type: 'BOOKMARK', object: { kind: 'Service', metadata } })
    clock.advance(29_999)
    expect(server.watches).toBe(1)
    clock.advance(1)
    expect(await open.next()).toMatchObject({ type: 'BOOKMARK' })
    expect(await open.next()).toBe('ended')
    expect([server.watches, clock.pending]).toEqual([0, 0])
  })
})
