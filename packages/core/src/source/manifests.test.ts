import { describe, expect, it } from 'vitest'
import { CarillonError } from '../errors.ts'
import { FakeClock, settle } from '../testing/index.ts'
import type { ManifestFiles } from './files.ts'
import { ManifestSource } from './manifests.ts'
import type { Snapshot } from './snapshot.ts'

const pool = (name: string, range: string): string => `apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: ${name} }
spec: { addresses: [${range}] }
`

const service = (name: string): string => `apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { type: LoadBalancer, ports: [{ port: 80 }] }
`

/** A disk that holds what the story writes on it. */
class Disk implements ManifestFiles {
  readonly files = new Map<string, string>()
  failure: Error | undefined
  /** Paths on a disk without room. */
  readonly crowded = new Set<string>()
  #changed: (path?: string) => void = () => {}

  write(path: string, text: string): void {
    this.files.set(path, text)
    this.#changed(path)
  }

  remove(path: string): void {
    this.files.delete(path)
    this.#changed(path)
  }

  fail(failure: Error | undefined): void {
    this.failure = failure
    this.#changed()
  }

  async read(): Promise<{ path: string; text: string }[]> {
    if (this.failure) throw this.failure
    return [...this.files].map(([path, text]) => ({ path, text })).sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  async full(path: string): Promise<boolean> {
    return this.crowded.has(path)
  }

  async watch(changed: (path?: string) => void): Promise<() => Promise<void>> {
    this.#changed = changed
    return async () => {
      this.#changed = () => {}
    }
  }
}

const settleMs = 120

interface Story {
  readonly disk: Disk
  readonly clock: FakeClock
  readonly source: ManifestSource
  readonly snapshots: Snapshot[]
  readonly failures: CarillonError[]
}

async function story(files: Readonly<Record<string, string>>): Promise<Story> {
  const disk = new Disk()
  for (const [path, text] of Object.entries(files)) disk.files.set(path, text)
  const clock = new FakeClock()
  const source = new ManifestSource({ files: disk, clock })
  const snapshots: Snapshot[] = []
  const failures: CarillonError[] = []
  source.events.on('snapshot:changed', snapshot => snapshots.push(snapshot))
  source.events.on('source:failed', failure => failures.push(failure))
  await source.start()
  await clock.advanceAsync(1)
  snapshots.length = 0
  return { disk, clock, source, snapshots, failures }
}

const names = (snapshot: Snapshot): readonly string[] => [
  ...snapshot.pools.map(one => one.metadata.name),
  ...snapshot.services.map(one => one.metadata.name),
]

describe('manifests on disk', () => {
  it('are one snapshot, over all files and documents, with lists unpacked', async () => {
    const list = JSON.stringify({
      apiVersion: 'v1',
      kind: 'List',
      items: [
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'prod', labels: { tier: 'gold' } } },
        { apiVersion: 'v1', kind: 'ServiceList', items: [{ metadata: { name: 'c' }, spec: {} }] },
      ],
    })
    const { source } = await story({
      'a.yaml': `${pool('p', '10.0.0.0/24')}---\n${service('a')}---\n${service('b')}`,
      'b.json': list,
    })
    expect(names(source.current())).toEqual(['p', 'a', 'b', 'c'])
    expect(source.current().namespaces[0]?.metadata.labels).toEqual({ tier: 'gold' })
    expect(source.current().problems).toEqual([])
  })

  it('may merge maps, as kubectl lets them', async () => {
    const { source } = await story({
      'a.yaml':
        'apiVersion: v1\nkind: Node\nmetadata:\n  labels: &x { a: b }\n  annotations: { <<: *x, c: d }\n  name: n\n',
    })
    expect(source.current().nodes[0]?.metadata.annotations).toEqual({ a: 'b', c: 'd' })
  })

  it('that no sane person wrote are refused in plain words', async () => {
    const deep = `a: ${'['.repeat(20_000)}${']'.repeat(20_000)}\n`
    const bomb = ['a: &a [1, 1, 1, 1, 1, 1, 1, 1]']
    for (const [i, name] of [...'bcdefgh'].entries())
      bomb.push(`${name}: &${name} [${Array(8).fill(`*${'abcdefg'[i]}`).join(', ')}]`)
    const { source } = await story({ 'bomb.yaml': bomb.join('\n'), 'deep.yaml': deep })
    expect(source.current().problems.map(({ name, message }) => `${name} ${message}`)).toEqual([
      'bomb.yaml is not usable YAML: its aliases repeat too much: write the values out',
      'deep.yaml is not valid YAML at line 1: it nests deeper than 200 levels',
    ])
  })

  it('are refused as YAML where they are larger than Kubernetes stores, and taken as JSON', async () => {
    const items = Array.from(
      { length: 20_000 },
      (_, i) => `- { metadata: { name: n${i}, x: ${'y'.repeat(50)} } }`,
    )
    const nodes = Array.from({ length: 20_000 }, (_, i) => ({
      metadata: { name: `n${i}`, x: 'y'.repeat(50) },
    }))
    const yaml = await story({
      'nodes.yaml': `apiVersion: v1\nkind: NodeList\nitems:\n${items.join('\n')}\n`,
    })
    expect(yaml.source.current().problems.map(({ message }) => message)).toEqual([
      'holds a YAML document of more than 1.5 MiB at line 1: write it as JSON (kubectl get -o json) into a file that ends in .json, or split it with "---"',
    ])
    const json = await story({
      'nodes.json': JSON.stringify({ apiVersion: 'v1', kind: 'NodeList', items: nodes }),
    })
    expect(json.source.current().nodes).toHaveLength(20_000)
  })

  it('of which everything is wrong are told of in a hundred problems', async () => {
    const ports = Array.from({ length: 200_000 }, () => 'a')
    const metadata = { name: 's', namespace: 'd' }
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'Service', metadata, spec: { ports } })
    const { source } = await story({ 'service.json': text })
    const { problems } = source.current()
    expect(problems).toHaveLength(101)
    expect(problems.at(-1)?.message).toBe(
      'and 199900 more problems with this object: correct those above first',
    )
  })

  it('give an edit once they have settled, and leave what did not change as it was', async () => {
    const { disk, clock, source, snapshots } = await story({
      'a.yaml': `${pool('p', '10.0.0.0/24')}---\n${service('a')}`,
    })
    const before = source.current()
    disk.write('a.yaml', `${pool('p', '10.0.0.0/24')}---\n${service('a')}---\n${service('b')}`)
    await clock.advanceAsync(settleMs - 1)
    expect(snapshots).toHaveLength(0)
    await clock.advanceAsync(1)
    expect(names(source.current())).toEqual(['p', 'a', 'b'])
    expect(source.current().pools).toBe(before.pools)
    expect(source.current().services[0]).toBe(before.services[0])
  })

  it('are read together when they are written one after the other', async () => {
    const { disk, clock, source, snapshots } = await story({
      'a.yaml': service('moves'),
      'b.yaml': service('b'),
    })
    disk.write('a.yaml', service('a'))
    await clock.advanceAsync(30)
    disk.write('b.yaml', `${service('b')}---\n${service('moves')}`)
    await clock.advanceAsync(settleMs)
    expect(names(source.current())).toEqual(['a', 'b', 'moves'])
    expect(snapshots).toHaveLength(1)
  })

  it('are read beside one that is written all the time, which stays as it was until it comes to rest', async () => {
    const { disk, clock, source } = await story({ 'a.yaml': service('a'), 'busy.yaml': service('busy') })
    disk.write('a.yaml', `${service('a')}---\n${service('late')}`)
    const texts = [service('half'), `${service('half')}---\n${service('whole')}`]
    for (let i = 0; i < 130; i++) {
      disk.write('busy.yaml', texts[i % 2] ?? '')
      await clock.advanceAsync(10)
      if (i < 119) expect(names(source.current())).toEqual(['a', 'busy'])
    }
    expect(names(source.current())).toEqual(['a', 'late', 'busy'])
    await clock.advanceAsync(settleMs)
    expect(names(source.current())).toEqual(['a', 'late', 'half', 'whole'])
  })

  it('that are away while one is replaced are not taken for gone', async () => {
    const { disk, clock, source } = await story({ 'a.yaml': service('a'), 'busy.yaml': service('busy') })
    for (let i = 0; i < 130; i++) {
      if (i % 2) disk.write('busy.yaml', service('busy'))
      else disk.remove('busy.yaml')
      await clock.advanceAsync(10)
      expect(names(source.current())).toEqual(['a', 'busy'])
    }
    disk.remove('busy.yaml')
    await clock.advanceAsync(settleMs)
    expect(names(source.current())).toEqual(['a'])
  })

  it('that are broken leave the last valid state in force and name the line', async () => {
    const { disk, clock, source } = await story({ 'a.yaml': service('a') })
    disk.write('a.yaml', `${service('a')}---\n${service('b')}  oops: [\n`)
    await clock.advanceAsync(settleMs)
    expect(names(source.current())).toEqual(['a'])
    expect(source.current().problems).toMatchObject([
      { severity: 'error', kind: 'Manifest', name: 'a.yaml', message: expect.stringMatching(/line \d/) },
    ])
    disk.write('a.yaml', `${service('a')}---\n${service('b')}`)
    await clock.advanceAsync(settleMs)
    expect(names(source.current())).toEqual(['a', 'b'])
    expect(source.current().problems).toEqual([])
  })

  it('that hold an invalid object leave the last valid state in force, even of other files', async () => {
    const { disk, clock, source } = await story({ 'a.yaml': pool('p', '10.0.0.0/24') })
    disk.write(
      'a.yaml',
      'apiVersion: metallb.io/v1beta1\nkind: IPAddressPool\nmetadata: { name: p }\nspec: { addresses: 7 }\n',
    )
    disk.write('b.yaml', service('b'))
    await clock.advanceAsync(settleMs)
    expect(names(source.current())).toEqual(['p'])
    expect(source.current().problems).toMatchObject([
      { kind: 'IPAddressPool', name: 'p', field: 'spec.addresses' },
    ])
  })

  it('that are half-written are not believed before they have stood like that for two seconds', async () => {
    const whole = `${service('a')}---\n${service('b')}`
    const { disk, clock, source } = await story({ 'a.yaml': whole })
    disk.write('a.yaml', service('a').trimEnd())
    await clock.advanceAsync(1900)
    expect(names(source.current())).toEqual(['a', 'b'])
    disk.write('a.yaml', whole.replaceAll('name: b', 'name: c'))
    await clock.advanceAsync(settleMs)
    expect(names(source.current())).toEqual(['a', 'c'])
    disk.write('a.yaml', service('a').trimEnd())
    await clock.advanceAsync(settleMs + 2000)
    expect(names(source.current())).toEqual(['a'])
  })

  it('that change on a full disk wait until there is room, however whole they look; that is told once', async () => {
    const whole = `${service('a')}---\n${service('b')}`
    const { disk, clock, source, failures } = await story({ 'a.yaml': whole })
    disk.crowded.add('a.yaml')
    disk.write('a.yaml', service('a'))
    await clock.advanceAsync(60_000)
    expect(names(source.current())).toEqual(['a', 'b'])
    expect(failures).toMatchObject([
      { code: 'SOURCE_UNREADABLE', message: expect.stringContaining('the change of a.yaml waits') },
    ])
    disk.crowded.clear()
    await clock.advanceAsync(2000)
    expect(names(source.current())).toEqual(['a'])
    disk.crowded.add('a.yaml')
    disk.write('a.yaml', whole.slice(0, -20))
    await clock.advanceAsync(5000)
    disk.crowded.clear()
    disk.write('a.yaml', whole)
    await clock.advanceAsync(settleMs)
    expect(names(source.current())).toEqual(['a', 'b'])
    expect(failures).toHaveLength(2)
  })

  it('that vanish take their objects along; a folder that vanishes takes nothing', async () => {
    const { disk, clock, source, failures } = await story({ 'a.yaml': service('a'), 'b.yaml': service('b') })
    disk.remove('b.yaml')
    await clock.advanceAsync(settleMs)
    expect(names(source.current())).toEqual(['a'])
    disk.fail(
      new CarillonError('SOURCE_UNREADABLE', 'cannot read manifests at /x: there is no such file or folder'),
    )
    await clock.advanceAsync(settleMs)
    expect(names(source.current())).toEqual(['a'])
    expect(failures.map(failure => failure.code)).toEqual(['SOURCE_UNREADABLE'])
    disk.fail(undefined)
    disk.write('b.yaml', service('b'))
    await clock.advanceAsync(settleMs)
    expect(names(source.current())).toEqual(['a', 'b'])
  })

  it('are read again now and then, should a notice have been lost', async () => {
    const { disk, clock, source } = await story({ 'a.yaml': service('a') })
    disk.files.set('a.yaml', service('z'))
    await clock.advanceAsync(30_000)
    expect(names(source.current())).toEqual(['z'])
  })

  it('may not hold the same object twice', async () => {
    const { source } = await story({ 'a.yaml': service('a'), 'b.yaml': service('a') })
    expect(source.current().problems).toMatchObject([
      { severity: 'error', kind: 'Service', namespace: 'default', name: 'a', field: 'metadata.name' },
    ])
  })

  it('are refused at the start when they cannot be read', async () => {
    const disk = new Disk()
    disk.failure = new CarillonError('SOURCE_UNREADABLE', 'cannot read manifests at /x')
    const source = new ManifestSource({ files: disk, clock: new FakeClock() })
    await expect(source.start()).rejects.toMatchObject({ code: 'SOURCE_UNREADABLE' })
  })

  it('that expand without bounds are refused', async () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]']
    for (const [i, name] of ['b', 'c', 'd', 'e', 'f', 'g', 'h'].entries()) {
      const last = ['a', 'b', 'c', 'd', 'e', 'f', 'g'][i]
      bomb.push(
        `${name}: &${name} [*${last},*${last},*${last},*${last},*${last},*${last},*${last},*${last},*${last}]`,
      )
    }
    const { source } = await story({ 'a.yaml': `${bomb.join('\n')}\n` })
    expect(source.current().problems).toMatchObject([{ severity: 'error', kind: 'Manifest', name: 'a.yaml' }])
  })

  it('stop being read when the source is closed', async () => {
    const { disk, clock, source, snapshots } = await story({ 'a.yaml': service('a') })
    await source[Symbol.asyncDispose]()
    disk.write('a.yaml', service('b'))
    await clock.advanceAsync(60_000)
    await settle()
    expect(snapshots).toHaveLength(0)
    expect(clock.pending).toBe(0)
  })
})
