import type { CarillonError, Snapshot } from '@carillon/core'
import { KubernetesSource, type KubernetesSourceOptions } from '@carillon/kubernetes'
import { Refusal } from '@carillon/kubernetes/testing'
import { afterEach, describe, expect, it } from 'vitest'
import { definitions, Story, until } from './support/story.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

async function begin(without: readonly string[] = [], options: Partial<KubernetesSourceOptions> = {}) {
  const story = await Story.begin({}, without)
  open.push(story)
  const { client, namespace, clock, random, log, metrics, server } = story
  const source = new KubernetesSource({ client, namespace, clock, random, log, metrics, ...options })
  open.push(source)
  const snapshots: Snapshot[] = []
  const failures: CarillonError[] = []
  source.events.on('snapshot:changed', snapshot => snapshots.push(snapshot))
  source.events.on('source:failed', error => failures.push(error))
  return { story, server, clock, source, snapshots, failures, metrics }
}

/** A source that follows everything. */
async function following(kinds = 11) {
  const parts = await begin()
  const { story, server, source } = parts
  await story.pool('first')
  await story.service('a')
  await story.service('b')
  const snapshot = await source.start()
  await until(() => server.watches === kinds)
  return { ...parts, snapshot }
}

const names = (snapshot: Snapshot): readonly string[] =>
  snapshot.services.map(({ metadata }) => metadata.name).filter(name => name !== 'kubernetes')

/** The newest snapshot, once what has happened so far has had the time to arrive. */
async function settled(
  source: KubernetesSource,
  clock: Story['clock'],
  wanted: (snapshot: Snapshot) => boolean,
) {
  await until(() => wanted(source.current()), clock)
  return source.current()
}

describe('a source on an API server', () => {
  it('follows what it holds: Services, pools, nodes, and what becomes of them', async () => {
    const { story, server, source, clock, snapshot } = await following()
    expect(names(snapshot)).toEqual(['a', 'b'])
    expect(snapshot.pools).toMatchObject([{ metadata: { name: 'first' }, spec: { autoAssign: true } }])
    expect(snapshot.namespaces.length).toBeGreaterThan(3)
    expect(snapshot.problems).toEqual([])
    await story.service('c')
    await server.store.delete({ apiVersion: 'v1', kind: 'Service', namespace: 'default', name: 'a' })
    await server.store.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } })
    const next = await settled(source, clock, one => one.nodes.length === 1 && names(one).join() === 'b,c')
    expect(next.pools).toBe(snapshot.pools)
    expect(next.services.find(({ metadata }) => metadata.name === 'b')).toBe(
      snapshot.services.find(({ metadata }) => metadata.name === 'b'),
    )
  })

  it('reads long lists in pages', async () => {
    const { story, source, server } = await begin([], { kinds: ['services'], pageSize: 10 })
    for (let i = 0; i < 35; i++) await story.service(`s${i}`)
    expect(names(await source.start())).toHaveLength(35)
    expect(server.requests.count('list', 'services')).toBe(4)
  })

  it('does not notice that a watch was dropped or ended in between', async () => {
    const { story, server, source, clock, failures } = await following()
    server.faults.dropWatches()
    await until(() => server.watches === 0)
    await story.service('c')
    await settled(source, clock, one => names(one).length === 3)
    await until(() => server.watches === 11, clock)
    await clock.advanceAsync(5000)
    server.faults.endWatches()
    await story.service('d')
    await settled(source, clock, one => names(one).length === 4)
    expect(failures).toEqual([])
    // No list was needed for that.
    expect(server.requests.count('list', 'services')).toBe(1)
  })

  it('makes a new list when the server has forgotten its history, and nothing that is unchanged seems new', async () => {
    const { server, source, clock, snapshot, snapshots, failures } = await following()
    server.faults.gone()
    await until(() => server.requests.count('list', 'services') === 2, clock)
    await until(() => server.watches === 11, clock)
    await clock.advanceAsync(1000)
    expect(source.current()).toBe(snapshot)
    expect([snapshots, failures]).toEqual([[], []])
  })

  it('stays away when it is told to, and copes with a server that fails now and then', async () => {
    const { story, server, source, clock, failures } = await begin()
    await story.service('a')
    server.faults.tooManyRequests(3, 7)
    server.faults.internalErrors(5)
    const started = source.start()
    await until(() => source.status().kinds.filter(({ failing }) => failing).length === 8)
    expect(failures.map(({ code }) => code)).toEqual(['API_BUSY'])
    await clock.advanceAsync(6999)
    expect(source.status().synced).toBe(false)
    await until(() => source.status().synced, clock, 100)
    expect(names(await started)).toEqual(['a'])
    expect(source.status().failingSince).toBeUndefined()
  })

  it('keeps everything while the server is away for an hour, and comes back without a flap', async () => {
    const { story, server, source, clock, snapshot, snapshots, failures, metrics } = await following()
    await server.faults.down()
    for (let seconds = 0; seconds < 3600; seconds += 20) await clock.advanceAsync(20_000)
    await until(() => source.status().kinds.every(({ failing }) => failing !== undefined), clock)
    expect(source.current()).toBe(snapshot)
    expect(failures).toHaveLength(1)
    expect(failures[0]?.code).toBe('API_UNREACHABLE')
    expect(source.status().kinds[0]?.failing?.forMs).toBeGreaterThanOrEqual(3_590_000)
    expect(metrics.value('carillon_k8s_source_stale_bool')).toBe(1)
    // Its history was compacted in that time, as etcd's is every five minutes.
    server.faults.compact()
    await server.faults.up()
    await until(() => source.status().failingSince === undefined, clock, 100)
    expect(source.current()).toBe(snapshot)
    expect(snapshots).toEqual([])
    expect(server.watches).toBe(11)
    expect(metrics.value('carillon_k8s_source_stale_bool')).toBe(0)
    await story.service('c')
    await settled(source, clock, one => names(one).length === 3)
    expect(failures).toHaveLength(1)
  })

  it('goes on without BGP and names the CRDs that are missing; without pools it waits', async () => {
    const { story, server, source, clock, failures } = await begin([
      'bgppeers',
      'bfdprofiles',
      'ipaddresspools',
    ])
    await story.service('a')
    const started = source.start()
    await until(() => failures.length === 3)
    expect(failures.map(({ message }) => message).toSorted()).toEqual(
      ['bfdprofiles', 'bgppeers', 'ipaddresspools'].map(
        plural =>
          `cannot list ${plural}.metallb.io in metallb-system: the API server does not know this resource; install its CustomResourceDefinition`,
      ),
    )
    await clock.advanceAsync(60_000)
    expect(source.status()).toMatchObject({ synced: false })
    for (const definition of definitions())
      if (definition.metadata?.name === 'ipaddresspools.metallb.io') await server.store.create(definition)
    await until(() => source.status().synced, clock, 100)
    const snapshot = await started
    expect(names(snapshot)).toEqual(['a'])
    await clock.advanceAsync(5)
    expect(source.current().problems.map(({ severity, kind }) => `${severity} ${kind}`)).toEqual([
      'warning BGPPeer',
      'warning BFDProfile',
    ])
  })

  it('gives a snapshot that is as new as the call, although its watch has not told of it yet', async () => {
    const { story, source, server, clock } = await following()
    // Nothing is told any more, and nothing is made anew, as time stands still.
    server.faults.dropWatches()
    await until(() => source.status().kinds.every(({ failing }) => failing !== undefined))
    await story.service('c')
    const fresh = source.refresh(['services'])
    expect(names(source.current())).toEqual(['a', 'b'])
    await until(() => server.requests.count('list', 'services') === 2, clock, 100)
    expect(names(await fresh)).toEqual(['a', 'b', 'c'])
  })

  it('lists again and again what it may not watch, and says which permission it lacks', async () => {
    const { story, server, source, clock, failures, metrics } = await begin()
    const forbidden = new Refusal({
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      reason: 'Forbidden',
      message: 'services is forbidden: User "somebody" cannot watch resource "services"',
      code: 403,
    })
    server.faults.refuse(3, forbidden, { verb: 'watch', resource: 'services' })
    await story.pool('first')
    await story.service('a')
    await source.start()
    await until(() => failures.length > 0)
    await story.service('b')
    await settled(source, clock, one => names(one).join() === 'a,b')
    await story.service('c')
    await settled(source, clock, one => names(one).join() === 'a,b,c')
    expect(failures.map(({ message }) => message)).toEqual([
      expect.stringContaining('may not watch services in all namespaces: give the account the verb "watch"'),
    ])
    expect(metrics.value('carillon_k8s_source_stale_bool')).toBe(1)
    // Once it may, it watches, and all is well.
    await until(() => source.status().failingSince === undefined, clock, 100)
    expect(server.watches).toBe(11)
    expect(server.requests.count('list', 'services')).toBe(4)
  })
})
