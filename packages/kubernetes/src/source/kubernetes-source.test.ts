import type { CarillonError, Service, Snapshot } from '@carillon/core'
import { FakeClock, RecordingLogger, RecordingMetrics, settle } from '@carillon/core/testing'
import { describe, expect, it } from 'vitest'
import { Client } from '../client/index.ts'
import { ScriptedPeer, type ScriptedRequest } from '../support/scripted-peer.ts'
import { KubernetesSource, type KubernetesSourceOptions } from './kubernetes-source.ts'

const service = (name: string, version: string, port = 80): object => ({
  metadata: { name, namespace: 'default', resourceVersion: version },
  spec: { type: 'LoadBalancer', ports: [{ port }] },
})

const pool = (name: string, version: string): object => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  metadata: { name, namespace: 'metallb-system', resourceVersion: version },
  spec: { addresses: ['192.0.2.0/24'] },
})

function story(options: Partial<KubernetesSourceOptions> = {}) {
  const peer = new ScriptedPeer()
  const clock = new FakeClock()
  const log = new RecordingLogger()
  const metrics = new RecordingMetrics()
  const source = new KubernetesSource({
    client: new Client({ transport: peer, clock }),
    namespace: 'metallb-system',
    clock,
    random: () => 0,
    log,
    metrics,
    kinds: ['services', 'pools'],
    ...options,
  })
  const snapshots: Snapshot[] = []
  const failures: CarillonError[] = []
  source.events.on('snapshot:changed', snapshot => snapshots.push(snapshot))
  source.events.on('source:failed', error => failures.push(error))
  return { peer, clock, log, metrics, source, snapshots, failures }
}

/** A source that watches: two Services and a pool. */
async function watching(options: Partial<KubernetesSourceOptions> = {}) {
  const parts = story(options)
  const started = parts.source.start()
  await (await parts.peer.next('/services')).list('10', [service('a', '1'), service('b', '2')])
  await (await parts.peer.next('/ipaddresspools')).list('10', [pool('p', '3')])
  const snapshot = await started
  const services = await parts.peer.next('/services?watch')
  await services.open()
  const pools = await parts.peer.next('/ipaddresspools?watch')
  await pools.open()
  return { ...parts, snapshot, services, pools }
}

const names = ({ services }: Snapshot): readonly string[] => services.map(({ metadata }) => metadata.name)

describe('a Kubernetes source', () => {
  it('gives its first snapshot when every kind is known, and reads kinds of MetalLB in its own namespace', async () => {
    const { peer, source } = story()
    let snapshot: Snapshot | undefined
    void source.start().then(first => {
      snapshot = first
    })
    await settle()
    expect(peer.log).toEqual([
      'GET /api/v1/services?limit=200',
      'GET /apis/metallb.io/v1beta1/namespaces/metallb-system/ipaddresspools?limit=200',
    ])
    await (await peer.next('/services')).list('10', [service('a', '1')], 'more')
    await (await peer.next('/ipaddresspools')).list('11', [pool('p', '3')])
    expect(source.status()).toMatchObject({ synced: false, kinds: [{ synced: false }, { synced: true }] })
    expect(snapshot).toBeUndefined()
    await (await peer.next('continue=more')).list('10', [service('b', '2')])
    expect(snapshot && names(snapshot)).toEqual(['a', 'b'])
    expect(snapshot?.pools.map(({ metadata }) => metadata.name)).toEqual(['p'])
    expect(source.current()).toBe(snapshot)
    expect(source.status().synced).toBe(true)
  })

  it('gives one snapshot for a burst of changes, in which the rest is as it was', async () => {
    const { services, clock, snapshots, snapshot } = await watching()
    await services.tell({ type: 'ADDED', object: service('c', '20') })
    await services.tell({ type: 'MODIFIED', object: service('b', '21', 81) })
    await clock.advanceAsync(4)
    expect(snapshots).toHaveLength(0)
    await clock.advanceAsync(1)
    expect(snapshots.map(names)).toEqual([['a', 'b', 'c']])
    expect(snapshots[0]?.services[0]).toBe(snapshot.services[0])
    expect(snapshots[0]?.pools).toBe(snapshot.pools)
  })

  // A few in a row wait for nothing, then each lets pass four times what one costs, or what the program says.
  it.each([
    { name: 'as usual', options: {}, expected: [5, 5, 5, 10, 40, 40, 40, 40] },
    {
      name: 'as the program says',
      options: { rest: (costMs: number) => 9 * costMs },
      expected: [5, 5, 75, 90, 90, 90, 90, 90],
    },
  ])(
    'leaves time for other things between snapshots that cost those who follow them much: $name',
    async ({ options, expected }) => {
      const time = new FakeClock()
      let spent = 0
      const clock = {
        now: () => time.now() + spent,
        date: () => time.date(),
        after: (ms: number, run: () => void) => time.after(ms, run),
      }
      const { services, source, snapshots } = await watching({ clock, ...options })
      source.events.on('snapshot:changed', () => {
        spent += 10
      })
      const waits: number[] = []
      const change = async (version: number): Promise<void> => {
        const before = snapshots.length
        await services.tell({ type: 'MODIFIED', object: service('a', `${version}`, version) })
        let waited = 0
        for (; snapshots.length === before; waited++) await time.advanceAsync(1)
        waits.push(waited)
      }
      for (let version = 81; version < 89; version++) await change(version)
      expect(waits).toEqual(expected)
      await time.advanceAsync(1000)
      await change(90)
      expect(waits.at(-1)).toBe(5)
    },
  )

  it('gives no snapshot for changes that nobody reads, and knows their version', async () => {
    const { services, clock, snapshots, snapshot, source } = await watching()
    const [a] = snapshot.services as [Service]
    expect(source.versionOf('services', a)).toBe('1')
    await services.tell(
      { type: 'MODIFIED', object: service('a', '25') },
      { type: 'BOOKMARK', object: { metadata: { resourceVersion: '40' } } },
    )
    await clock.advanceAsync(1000)
    expect(snapshots).toHaveLength(0)
    expect(source.versionOf('services', a)).toBe('25')
    // Once it says something else, what was said before has no newer version.
    await services.tell({ type: 'MODIFIED', object: service('a', '30', 81) })
    await clock.advanceAsync(5)
    expect(source.versionOf('services', a)).toBe('25')
    expect(source.versionOf('services', snapshots[0]?.services[0] as Service)).toBe('30')
    expect(source.versionOf('services', { ...a })).toBeUndefined()
  })

  it('goes on from the last bookmark after the server has ended a watch', async () => {
    const { services, peer, clock } = await watching()
    await services.tell({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '40' } } })
    await clock.advanceAsync(120_000)
    await services.end()
    expect((await peer.next('/services?watch')).query.get('resourceVersion')).toBe('40')
  })

  it('compares a new list with what it knows when the server has forgotten its version, and empties nothing', async () => {
    const { services, peer, clock, source, snapshot, snapshots } = await watching()
    await services.tell({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })
    const list = await peer.next('/services?limit')
    expect(source.current()).toBe(snapshot)
    await list.list('90', [service('b', '80'), service('a', '81')])
    await clock.advanceAsync(1000)
    expect(snapshots).toHaveLength(0)
    expect(source.current()).toBe(snapshot)
    expect((await peer.next('/services?watch')).query.get('resourceVersion')).toBe('90')
  })

  it('shows in a new list what has changed meanwhile', async () => {
    const { services, peer, clock, snapshots } = await watching()
    await services.tell({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })
    await (await peer.next('/services?limit')).list('90', [service('b', '2'), service('c', '85')])
    await clock.advanceAsync(5)
    expect(snapshots.map(names)).toEqual([['b', 'c']])
  })

  it('makes a watch anew that fell silent', async () => {
    const { services, peer, clock, failures } = await watching()
    await services.tell({ type: 'BOOKMARK', object: { metadata: { resourceVersion: '40' } } })
    await clock.advanceAsync(150_000)
    expect(services.given).toBe(true)
    expect((await peer.next('/services?watch')).query.get('resourceVersion')).toBe('40')
    expect(failures).toEqual([])
  })

  it('says once that the server is away, however long, keeps what it knew, and comes back without a change', async () => {
    const { services, pools, peer, clock, source, snapshot, snapshots, failures, log, metrics } =
      await watching()
    await services.break()
    await pools.break()
    // A connection that is made again is no outage.
    expect(failures).toEqual([])
    for (let seconds = 0; seconds < 3600; seconds++) {
      await clock.advanceAsync(1000)
      for (const request of peer.pending.splice(0)) await request.break('ECONNREFUSED')
    }
    expect(failures.map(({ code }) => code)).toEqual(['API_UNREACHABLE'])
    expect(source.current()).toBe(snapshot)
    const { failingSince, synced, kinds } = source.status()
    expect([failingSince, synced]).toEqual(['2026-01-01T00:00:00.000Z', true])
    expect(kinds[0]?.failing).toMatchObject({ forMs: 3_600_000, error: { code: 'API_UNREACHABLE' } })
    expect(kinds[0]?.failing?.attempts).toBeGreaterThan(100)
    expect(metrics.value('carillon_k8s_source_stale_bool')).toBe(1)

    const back = async (path: string): Promise<ScriptedRequest> => {
      for (;;) {
        await clock.advanceAsync(1000)
        if (peer.pending.some(request => request.path.includes(path))) return peer.next(path)
      }
    }
    await (await back('/services')).refuse(410, 'Expired')
    await (await peer.next('/services?limit')).list('900', [service('a', '1'), service('b', '2')])
    await (await peer.next('/services?watch')).open()
    expect(metrics.value('carillon_k8s_source_stale_bool')).toBe(1)
    await (await back('/ipaddresspools')).open()
    await clock.advanceAsync(1000)
    expect(source.current()).toBe(snapshot)
    expect(snapshots).toEqual([])
    expect(source.status().failingSince).toBeUndefined()
    expect(metrics.value('carillon_k8s_source_stale_bool')).toBe(0)
    expect(log.lines.filter(({ level }) => level === 'info').map(({ message }) => message)).toEqual([
      'the API server can be followed again',
    ])
  })

  it('waits for a permission without which it cannot know everything, and names verb and resource', async () => {
    const { peer, clock, source, failures } = story()
    let started = false
    void source.start().then(() => {
      started = true
    })
    await (await peer.next('/services')).list('10', [])
    await (await peer.next('/services?watch')).open()
    for (let i = 0; i < 3; i++) {
      await (await peer.next('/ipaddresspools')).refuse(403, 'Forbidden', 'no')
      await clock.advanceAsync(30_000)
    }
    expect(started).toBe(false)
    expect(failures.map(({ message }) => message)).toEqual([
      'may not list ipaddresspools.metallb.io in metallb-system: give the account the verb "list" on this resource by RBAC: no',
    ])
    expect(source.status().kinds[1]).toMatchObject({ synced: false, failing: { attempts: 3 } })
    await (await peer.next('/ipaddresspools')).list('11', [])
    expect(started).toBe(true)
    expect(source.status().failingSince).toBeUndefined()
  })

  it('goes on without a kind whose CRD is missing where nobody can be harmed, with a warning, until it is there', async () => {
    const { peer, clock, source, failures, snapshots } = story({ kinds: ['services', 'communities'] })
    const started = source.start()
    await (await peer.next('/services')).list('10', [service('a', '1')])
    await (await peer.next('/communities')).reply(404, '404 page not found')
    const snapshot = await started
    await clock.advanceAsync(5)
    const warning = {
      severity: 'warning',
      kind: 'Community',
      message:
        'cannot list communities.metallb.io in metallb-system: the API server does not know this resource; install its CustomResourceDefinition',
    }
    expect(snapshot.communities).toEqual([])
    expect(source.current().problems).toMatchObject([warning])
    expect(failures.map(({ code }) => code)).toEqual(['API_NO_SUCH_RESOURCE'])
    await clock.advanceAsync(30_000)
    await (await peer.next('/communities')).list('20', [
      {
        metadata: { name: 'c', namespace: 'metallb-system', resourceVersion: '19' },
        spec: { communities: [{ name: 'x', value: '65000:1' }] },
      },
    ])
    await clock.advanceAsync(5)
    expect(source.current().problems).toEqual([])
    expect(snapshots.at(-1)?.communities).toHaveLength(1)
  })

  it('keeps what it knew of a kind whose permission or CRD has been taken away', async () => {
    const { pools, peer, clock, source, snapshot } = await watching()
    await pools.break()
    await clock.advanceAsync(1000)
    await (await peer.next('/ipaddresspools?watch')).refuse(404, 'NotFound')
    await clock.advanceAsync(60_000)
    await (await peer.next('/ipaddresspools?limit')).refuse(403, 'Forbidden')
    expect(source.current().pools).toBe(snapshot.pools)
    expect(source.status().kinds[1]).toMatchObject({ synced: true, objects: 1, failing: { attempts: 3 } })
  })

  it('stays away for as long as a busy server asks', async () => {
    const { services, peer, clock } = await watching()
    await services.break()
    await clock.advanceAsync(400)
    await (await peer.next('/services')).reply(429, '', { 'retry-after': '20' })
    await clock.advanceAsync(19_999)
    expect(peer.pending).toHaveLength(0)
    await clock.advanceAsync(1)
    expect(peer.pending).toHaveLength(1)
  })

  it('gives a snapshot that is as new as the call when it is asked for one', async () => {
    const { services, peer, source } = await watching()
    let fresh: Snapshot | undefined
    void source.refresh(['services']).then(snapshot => {
      fresh = snapshot
    })
    expect(services.given).toBe(true)
    const list = await peer.next('/services?limit')
    expect(fresh).toBeUndefined()
    await list.list('50', [service('a', '1'), service('n', '49')])
    expect(fresh && names(fresh)).toEqual(['a', 'n'])
    expect(source.current()).toBe(fresh)
  })

  it('narrows kinds down when told to', async () => {
    const { peer, source } = story({
      kinds: ['services', 'secrets'],
      select: {
        services: { namespace: 'shop', labelSelector: 'tier=edge' },
        secrets: { fieldSelector: 'type=x' },
      },
    })
    void source.start()
    await settle()
    expect(peer.log).toEqual([
      'GET /api/v1/namespaces/shop/services?labelSelector=tier%3Dedge&limit=200',
      'GET /api/v1/namespaces/metallb-system/secrets?fieldSelector=type%3Dx&limit=200',
    ])
  })

  it('ends everything when it is closed', async () => {
    const { services, pools, clock, source, peer, snapshots } = await watching()
    await services.tell({ type: 'ADDED', object: service('c', '20') })
    await source[Symbol.asyncDispose]()
    await clock.advanceAsync(60_000)
    expect([services.given, pools.given]).toEqual([true, true])
    expect(clock.pending).toBe(0)
    expect(peer.pending).toHaveLength(0)
    expect(snapshots).toHaveLength(0)
  })

  it('that is closed before it was whole says so', async () => {
    const { source } = story()
    const started = source.start().catch((error: unknown) => error)
    await source[Symbol.asyncDispose]()
    expect(await started).toMatchObject({ code: 'API_CANCELLED' })
  })
})
