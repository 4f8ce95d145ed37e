import type { Announcer, Resource } from '@carillon/core'
import { MemorySource, parseResource, Speaker } from '@carillon/core'
import {
  FakeClock,
  MemoryMembership,
  MemoryNetwork,
  RecordingLogger,
  seededRandom,
  settle,
} from '@carillon/core/testing'
import type { ExplanationAnswer, NodeReport, PartsEvent, RowsEvent, SuccessionAnswer } from '@carillon/web'
import { EventEmitter } from 'eventemitter3'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { Feed } from '../page/feed.ts'
import { Reports } from '../page/reports.ts'
import { Timeline } from '../page/timeline.ts'
import { encodeWord } from '../page/words.ts'
import { prometheusMetrics } from './metrics.ts'
import { servedBy } from './served.ts'
import { type HttpServer, serveHttp } from './server.ts'

/** What was said over the gossip, and a way to say something. */
class Box {
  readonly told: string[] = []
  readonly answered: string[] = []
  hear: (message: Uint8Array) => void = () => {}

  tell(message: Uint8Array): void {
    this.told.push(new TextDecoder().decode(message))
  }

  async answer(node: string, message: Uint8Array): Promise<void> {
    this.answered.push(`${node} ${new TextDecoder().decode(message)}`)
  }

  heard(handle: (message: Uint8Array) => void): void {
    this.hear = handle
  }
}

interface Told {
  readonly event: string
  readonly id: string
  readonly data: unknown
}

/** A reader of the stream. */
class Reader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  readonly #abort: AbortController
  readonly status: number
  #text = ''

  private constructor(response: Response, abort: AbortController) {
    this.status = response.status
    this.#reader = response.body?.getReader()
    this.#abort = abort
  }

  static async open(url: string, last?: string): Promise<Reader> {
    const abort = new AbortController()
    const headers: Record<string, string> = last === undefined ? {} : { 'last-event-id': last }
    return new Reader(await fetch(url, { headers, signal: abort.signal }), abort)
  }

  /** The next event. */
  async next(): Promise<Told> {
    for (;;) {
      const end = this.#text.indexOf('\n\n')
      if (end >= 0) {
        const text = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + 2)
        const field = (name: string): string => new RegExp(`^${name}: ?(.*)$`, 'm').exec(text)?.[1] ?? ''
        return { event: field('event'), id: field('id'), data: JSON.parse(field('data')) }
      }
      const read = await this.#reader?.read()
      if (!read?.value) throw new Error('the stream has ended')
      this.#text += new TextDecoder().decode(read.value)
    }
  }

  /** The next event of that name. */
  async until(event: string): Promise<Told> {
    for (;;) {
      const told = await this.next()
      if (told.event === event) return told
    }
  }

  close(): void {
    this.#abort.abort()
  }
}

const quiet: Announcer = {
  name: 'quiet',
  speakers: 'one',
  families: [4, 6],
  events: new EventEmitter(),
  start: async () => {},
  announce: () => {},
  status: () => [],
  [Symbol.asyncDispose]: async () => {},
}

const services = (count: number): readonly unknown[] =>
  Array.from({ length: count }, (_, i) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: `s${i}`,
      annotations: { 'metallb.io/loadBalancerIPs': `10.0.${Math.floor(i / 250)}.${i % 250}` },
    },
    spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
  }))

const objects = (count: number): Resource[] =>
  [
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: { name: 'lan' },
      spec: { addresses: ['10.0.0.0/16'] },
    },
    { apiVersion: 'metallb.io/v1beta1', kind: 'L2Advertisement', metadata: { name: 'l2' }, spec: {} },
    ...services(count),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'lost', annotations: { 'metallb.io/loadBalancerIPs': '172.16.0.1' } },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
    },
  ].flatMap(object => parseResource(object)?.resource ?? [])

const report: NodeReport = {
  version: '1.2.3',
  startedAt: '2026-01-01T00:00:00.000Z',
  configuration: 'valid',
  standing: 'confirmed',
  health: 0,
  load: 0.5,
  cpu: 0.01,
  memory: 70_000_000,
  failures: [],
  sessions: [],
}

let clock: FakeClock
let source: MemorySource
let members: MemoryMembership
let box: Box
let speaker: Speaker
let feed: Feed
let server: HttpServer
const readers: Reader[] = []

beforeEach(async () => {
  clock = new FakeClock()
  source = new MemorySource(objects(4))
  members = new MemoryMembership('node-a', 'node-b', 'node-c')
  members.silent = 0
  box = new Box()
  const metrics = prometheusMetrics()
  speaker = new Speaker({
    node: 'node-a',
    source,
    membership: members,
    announcers: [() => quiet],
    clock,
    network: new MemoryNetwork({ clock, random: seededRandom(1) }).host('node-a', '10.0.0.1'),
    log: new RecordingLogger(),
    metrics,
    random: seededRandom(1),
    version: '1.2.3',
    standalone: true,
  })
  const reports = new Reports({ node: 'node-a', post: box, clock, metrics, own: () => report })
  feed = new Feed({ speaker, timeline: Timeline.of(speaker), reports, clock, epoch: 'e', readers: 2 })
  await speaker.start()
  server = await serveHttp({ address: '127.0.0.1', port: 0 }, servedBy(speaker, undefined, feed), metrics)
})

afterEach(async () => {
  for (const reader of readers.splice(0)) reader.close()
  feed[Symbol.dispose]()
  await speaker[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

const url = (path: string): string => `http://127.0.0.1:${server.at.port}${path}`
const read = async (last?: string): Promise<Reader> => {
  const reader = await Reader.open(url('/api/v1/stream'), last)
  readers.push(reader)
  return reader
}

/** Time passes, with all that falls due. */
const pass = async (ms: number): Promise<void> => {
  await clock.advanceAsync(ms)
  await settle()
}

it('the page and its files are served, and may load nothing from elsewhere', async () => {
  for (const path of ['/', '/page.js', '/page.css', '/icon.svg']) {
    const response = await fetch(url(path))
    expect(response.status, path).toBe(200)
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).not.toContain('unsafe')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  }
  const html = await (await fetch(url('/'))).text()
  expect(html).not.toMatch(/<script>|<style|style=|\son\w+=|https?:/)
  expect(html.match(/(?:src|href)="([^"]+)"/g)).toEqual([
    'href="icon.svg"',
    'href="page.css"',
    'src="page.js"',
  ])
})

it('the stream begins with everything', async () => {
  const reader = await read()
  const parts = await reader.next()
  expect(parts).toMatchObject({
    event: 'parts',
    id: '',
    data: {
      seen: { node: 'node-a', version: '1.2.3', configuration: 'valid', standing: 'confirmed' },
      totals: { services: 5, pending: 1, addresses: 4, announced: 4 },
      nodes: [
        { name: 'node-a', liveness: 'alive', report },
        { name: 'node-b', liveness: 'alive', address: 'node-b:7946' },
        { name: 'node-c', liveness: 'alive' },
      ],
      sessions: [],
      pools: [{ name: 'lan', assignedIPv4: 4 }],
      attention: [{ severity: 'warning', title: 'default/lost has no address', count: 1 }],
    },
  })
  const { nodes = [] } = parts.data as PartsEvent
  expect(nodes.reduce((sum, { owns }) => sum + owns, 0)).toBe(4)
  const rows = (await reader.next()) as Told & { readonly data: RowsEvent }
  expect(rows).toMatchObject({ event: 'rows', id: '', data: { reset: true, total: 4, gone: [] } })
  expect(rows.data.rows.find(({ address }) => address === '10.0.0.1')).toEqual({
    address: '10.0.0.1',
    services: ['default/s1'],
    pool: 'lan',
    protocols: ['layer2'],
    owner: expect.stringMatching(/^node-[abc]$/),
    since: expect.any(String),
    longer: true,
  })
  expect(await reader.next()).toMatchObject({ event: 'beat', id: expect.stringMatching(/^e-\d+$/) })
})

it('a death reaches a reader as differences: the addresses that moved, and why in one entry', async () => {
  const reader = await read()
  const begun = (await reader.until('rows')).data as RowsEvent
  await reader.until('beat')
  const mine = begun.rows.filter(({ owner }) => owner === 'node-b').map(({ address }) => address)
  expect(mine.length).toBeGreaterThan(0)
  await pass(10_000)
  members.silent = 260
  members.mark('node-b', 'dead')
  await pass(1000)
  const moved = (await reader.until('rows')).data as RowsEvent
  expect(moved.rows.map(({ address }) => address).sort()).toEqual(mine.sort())
  expect(moved.rows.every(({ owner, longer }) => owner !== 'node-b' && longer === undefined)).toBe(true)
  let parts: PartsEvent = {}
  while (!parts.timeline?.some(({ because }) => because === 'notAlive'))
    parts = (await reader.until('parts')).data as PartsEvent
  expect(parts.timeline?.[0]).toMatchObject({
    type: 'moved',
    message: 'node-b died',
    from: 'node-b',
    because: 'notAlive',
    gapMs: 260,
    count: mine.length,
  })
  expect(parts.attention?.map(({ title }) => title)).toContain('node-b is dead')
})

it('who comes back goes on where it was, and who was away too long begins anew', async () => {
  const reader = await read()
  await reader.until('beat')
  await pass(6000)
  const { id } = await reader.until('beat')
  reader.close()
  source.set(objects(5))
  const again = await read(id)
  await pass(1000)
  const rows = (await again.until('rows')).data as RowsEvent
  expect(rows).toMatchObject({ rows: [{ address: '10.0.0.4' }], gone: [] })
  expect(rows.reset).toBeUndefined()
  again.close()
  await pass(0)
  // Nobody reads: it forgets.
  await expect.poll(() => feed.readers).toBe(0)
  await pass(40_000)
  const anew = await read(id)
  expect((await anew.until('rows')).data).toMatchObject({ reset: true, total: 5 })
})

it('addresses that are gone are told, and a thousand at a time where there are many', async () => {
  const reader = await read()
  await reader.until('beat')
  source.set(objects(2500))
  await pass(1000)
  const sizes: number[] = []
  while (sizes.reduce((sum, size) => sum + size, 0) < 2496)
    sizes.push(((await reader.until('rows')).data as RowsEvent).rows.length)
  expect(sizes).toEqual([1000, 1000, 496])
  source.set(objects(2))
  await pass(1000)
  let gone = (await reader.until('rows')).data as RowsEvent
  if (gone.gone.length === 0) gone = (await reader.until('rows')).data as RowsEvent
  expect(gone.gone).toHaveLength(2498)
})

it('more readers than are allowed are turned away, until another one leaves', async () => {
  const first = await read()
  await first.until('beat')
  await (await read()).until('beat')
  const third = await read()
  expect(third.status).toBe(503)
  first.close()
  await expect.poll(() => feed.readers).toBe(1)
  expect((await read()).status).toBe(200)
})

it('others are asked only while somebody reads, and what they say is shown', async () => {
  await pass(20_000)
  expect(box.told).toEqual([])
  const reader = await read()
  await reader.until('beat')
  await pass(3900)
  expect(box.told).toEqual(Array(2).fill('{"carillon":1,"says":"ask","node":"node-a"}'))
  const session = {
    peer: 'tor',
    at: '10.0.0.1',
    state: 'Active',
    since: report.startedAt,
    routes: [1, 0, 1, 0],
  } as const
  box.hear(
    encodeWord({ says: 'report', node: 'node-b', report: { ...report, health: 4, sessions: [session] } }),
  )
  box.hear(encodeWord({ says: 'report', node: 'node-a', report: { ...report, health: 7 } }))
  box.hear(new TextEncoder().encode('nonsense'))
  await pass(1000)
  let parts: PartsEvent = {}
  while (!parts.sessions) parts = { ...parts, ...((await reader.until('parts')).data as PartsEvent) }
  expect(parts.nodes?.map(({ name, report: said }) => [name, said?.health])).toEqual([
    ['node-a', 0],
    ['node-b', 4],
    ['node-c', undefined],
  ])
  expect(parts.sessions).toEqual([{ node: 'node-b', ...session }])
  reader.close()
  await expect.poll(() => feed.readers).toBe(0)
  const { length } = box.told
  await pass(20_000)
  expect(box.told).toHaveLength(length)
})

it('whoever asks is answered, but not too often', async () => {
  const ask = (node: string): void => box.hear(encodeWord({ says: 'ask', node }))
  ask('node-b')
  ask('node-b')
  ask('node-c')
  await pass(500)
  ask('node-b')
  const said = encodeWord({ says: 'report', node: 'node-a', report })
  expect(box.answered).toEqual(
    ['node-b', 'node-c', 'node-b'].map(node => `${node} ${new TextDecoder().decode(said)}`),
  )
})

it('says who follows for the addresses that are in sight', async () => {
  const response = await fetch(url('/api/v1/succession?of=10.0.0.0,10.0.0.1,1.2.3.4'))
  const { succession } = (await response.json()) as SuccessionAnswer
  expect(Object.keys(succession)).toEqual(['10.0.0.0', '10.0.0.1'])
  for (const line of Object.values(succession))
    expect([...line].sort()).toEqual(['node-a', 'node-b', 'node-c'])
  expect((await fetch(url('/api/v1/succession'))).status).toBe(400)
})

it('explains an address: candidates with what puts them first, what is announced, and why the others are silent', async () => {
  const response = await fetch(url('/api/v1/explanation?address=10.0.0.2'))
  const { row, candidates, announcements, silent, decidedBy } = (await response.json()) as ExplanationAnswer
  expect(decidedBy).toBe('default/s2')
  expect(candidates.map(({ aheadBy }) => aheadBy)).toEqual(['digest', 'digest', undefined])
  expect(candidates.map(({ digest }) => digest)).toEqual(candidates.map(({ digest }) => digest).sort())
  expect(row.owner).toBe(candidates[0]?.node)
  expect(announcements).toEqual([
    { protocol: 'layer2', address: '10.0.0.2', node: row.owner, interfaces: 'all' },
  ])
  expect(silent).toMatchObject([
    { protocol: 'layer2', because: 'notOwner', sentence: 'another node was elected' },
  ])
  expect(silent[0]?.nodes).toHaveLength(2)
  expect((await fetch(url('/api/v1/explanation?address=1.2.3.4'))).status).toBe(404)
  expect((await fetch(url('/api/v1/explanation'))).status).toBe(400)
  expect((await fetch(url(`/api/v1/explanation?address=${'1'.repeat(100)}`))).status).toBe(400)
})

it('nothing that it serves can be changed', async () => {
  for (const path of ['/', '/api/v1/stream', '/api/v1/succession?of=10.0.0.1'])
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
      expect((await fetch(url(path), { method })).status, `${method} ${path}`).toBe(404)
})

it('tells those who follow events alone what was and what comes, and goes on where they were', async () => {
  const path = '/api/v1/stream?only=events'
  const listen = async (more = '', last?: string): Promise<Reader> => {
    const reader = await Reader.open(url(`${path}${more}`), last)
    readers.push(reader)
    return reader
  }
  const reader = await listen()
  expect(await reader.next()).toMatchObject({ event: 'speaker', id: '', data: { node: 'node-a' } })
  const first = await reader.next()
  expect(first).toMatchObject({ event: 'happened', data: { type: 'started' } })
  speaker.events.emit('speaker:event', { at: 'now', type: 'peerUp', message: 'one' })
  clock.advance(50)
  let last = first
  while ((last.data as { message: string }).message !== 'one') last = await reader.next()
  reader.close()
  speaker.events.emit('speaker:event', { at: 'now', type: 'peerUp', message: 'two' })
  for (const again of [await listen('', last.id), await listen(`&since=${last.id}`)]) {
    await again.until('speaker')
    expect(await again.next()).toMatchObject({ data: { message: 'two' } })
  }
  expect((await fetch(url('/api/v1/stream?only=nothing'))).status).toBe(400)
})
