import { arp } from '@carillon/arp'
import { MemorySource, parseResource, type Resource, Speaker, tryParseMac } from '@carillon/core'
import {
  FakeClock,
  MemoryMembership,
  MemoryNetwork,
  RecordingLogger,
  RecordingMetrics,
  seededRandom,
  settle,
} from '@carillon/core/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const addresses = Array.from({ length: 200 }, (_, i) => `10.0.0.${i + 20}`)

const objects = (services: readonly string[]): readonly object[] => [
  {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPAddressPool',
    metadata: { name: 'p' },
    spec: { addresses: ['10.0.0.20-10.0.0.250'] },
  },
  { apiVersion: 'metallb.io/v1beta1', kind: 'L2Advertisement', metadata: { name: 'l2' }, spec: {} },
  ...services.map((address, i) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `s${i}`, annotations: { 'metallb.io/loadBalancerIPs': address } },
    spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
  })),
]

const resources = (services: readonly string[]): Resource[] =>
  objects(services).flatMap(object => parseResource(object)?.resource ?? [])

describe('the log of a takeover', () => {
  const clock = new FakeClock()
  const log = new RecordingLogger()
  const company = new MemoryMembership('node-a', 'node-b', 'node-c')
  company.silent = 240
  const source = new MemorySource(resources(addresses))
  const network = new MemoryNetwork({ clock, random: seededRandom(1) })
  let speaker: Speaker

  /** Everything at info or above since the last time, each line as its message and its fields. */
  const lines = (): readonly (Readonly<Record<string, unknown>> & { readonly message: string })[] =>
    log.lines
      .splice(0)
      .filter(({ level }) => level !== 'trace' && level !== 'debug')
      .map(({ message, fields }) => ({ message, ...fields }))

  const pass = async (ms: number): Promise<void> => {
    for (let at = 0; at < ms; at += 10) {
      clock.advance(10)
      await settle()
    }
  }

  beforeEach(async () => {
    const host = network.host('node-a', '10.0.0.1')
    const mac = tryParseMac('02:00:00:00:00:01') ?? new Uint8Array(6)
    host.setLink({ name: 'eth0', mac, addresses: [] })
    speaker = new Speaker({
      node: 'node-a',
      source,
      membership: company,
      announcers: [arp({})],
      clock,
      network: host,
      log,
      metrics: new RecordingMetrics(),
      random: seededRandom(1),
      version: '1.2.3',
      standalone: true,
    })
    await speaker.start()
    await pass(10_000)
  })

  afterEach(() => speaker[Symbol.asyncDispose]())

  it('is a story in three lines with one id, however many addresses move, and nothing follows it', async () => {
    const started = lines()
    expect(started.map(({ message }) => message)).toEqual([
      'configuration in force',
      'addresses move',
      'announced',
    ])
    expect(new Set(started.map(({ takeover }) => takeover)).size).toBe(1)

    company.become('node-a', 'node-c')
    await pass(30_000)
    const [death, move, done, ...more] = lines()
    expect(more).toEqual([])
    expect(death).toEqual({
      message: 'the living nodes are others',
      takeover: expect.stringMatching(/^[0-9a-f]{4}$/),
      gone: ['node-b'],
      silentMs: 240,
      alive: 2,
    })
    expect(move).toEqual({
      message: 'addresses move',
      takeover: death?.takeover,
      takes: expect.any(Number),
      gives: 0,
      addresses: expect.arrayContaining([expect.stringMatching(/^10\.0\.0\./)]),
      services: { 'node-b > node-a': expect.any(Number), 'node-b > node-c': expect.any(Number) },
    })
    expect(move?.takes).toBeGreaterThan(5)
    expect(move?.addresses).toHaveLength(5)
    expect(done).toMatchObject({
      message: 'announced',
      takeover: death?.takeover,
      announcer: 'arp',
      addresses: move?.takes,
    })
    expect(death?.takeover).not.toBe(started[0]?.takeover)

    company.become('node-a', 'node-b', 'node-c')
    await pass(1000)
    expect(lines()).toMatchObject([
      { message: 'the living nodes are others', came: ['node-b'], alive: 3 },
      { message: 'addresses move', takes: 0, gives: move?.takes },
    ])

    source.set(resources(addresses.slice(1)))
    await pass(1000)
    const edited = lines()
    expect(edited.map(({ message }) => message)).toEqual(['addresses move'])

    company.become('node-a', 'node-b', 'node-c')
    await pass(10_000)
    expect(lines()).toEqual([])
  })
})
