import { Allocator, ConfigParser, type Service } from '@carillon/core'
import {
  BgpSessionStateWriter,
  ConfigurationStateWriter,
  EventRecorder,
  KubernetesSource,
  PoolStatusWriter,
  resourceTypes,
  ServiceBgpStatusWriter,
  ServiceL2StatusWriter,
  ServiceStatusWriter,
  type StatusObjectsOptions,
} from '@carillon/kubernetes'
import { Refusal } from '@carillon/kubernetes/testing'
import { afterEach, describe, expect, it } from 'vitest'
import type { Json } from './support/api.ts'
import { Story, until } from './support/story.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

function keep<T extends AsyncDisposable>(one: T): T {
  open.push(one)
  return one
}

const begin = async (without: readonly string[] = []): Promise<Story> => keep(await Story.begin({}, without))

const forbidden = (verb: string, resource: string): Refusal =>
  new Refusal({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    code: 403,
    reason: 'Forbidden',
    message: `User "x" cannot ${verb} resource "${resource}"`,
  })

/** A controller, as small as it can be: snapshots give allocations, which are written back. */
async function controller(story: Story) {
  const { client, namespace, clock, random, log, metrics } = story
  const source = keep(
    new KubernetesSource({
      client,
      namespace,
      clock,
      random,
      log,
      metrics,
      kinds: ['services', 'pools', 'namespaces'],
    }),
  )
  const writer = keep(
    new ServiceStatusWriter({
      client,
      clock,
      random,
      log,
      metrics,
      versionOf: service => source.versionOf('services', service),
    }),
  )
  const pools = keep(new PoolStatusWriter({ client, namespace, clock, random, log, metrics }))
  const parser = new ConfigParser()
  const allocator = new Allocator()
  const reconcile = (): void => {
    const snapshot = source.current()
    const { config } = parser.parse(snapshot)
    if (!config) return
    const allocation = allocator.update({ ...snapshot, config })
    writer.reconcile(snapshot.services, allocation.services, allocation.changed)
    pools.reconcile(snapshot.pools, allocation.pools)
  }
  source.events.on('snapshot:changed', reconcile)
  await source.start()
  reconcile()
  return { source, writer, pools, reconcile }
}

const get = async (story: Story, name: string): Promise<Json> =>
  story.server.store.get({ apiVersion: 'v1', kind: 'Service', namespace: 'default', name })

const addressOf = async (story: Story, name: string): Promise<string | undefined> =>
  (await get(story, name))?.status?.loadBalancer?.ingress?.[0]?.ip

const writes = ({ server }: Story, resource: string): number => server.requests.writes(resource)

describe('the status of Services', () => {
  it('names address and pool after one write each, which nothing repeats', async () => {
    const story = await begin()
    await story.pool('first')
    for (let i = 0; i < 50; i++) await story.service(`s${i}`)
    const { source, writer, reconcile } = await controller(story)
    await until(async () => (await addressOf(story, 's49')) !== undefined, story.clock)
    await writer.idle()
    const { status, metadata } = await get(story, 's7')
    expect(status.loadBalancer.ingress).toEqual([
      { ip: expect.stringMatching(/^192\.0\.2\./), ipMode: 'VIP' },
    ])
    expect(metadata.annotations).toEqual({ 'metallb.io/ip-allocated-from-pool': 'first' })
    // Until the source has seen all of it, and after whole lists, and when everything is compared anew.
    await until(() => source.current().services.filter(ready).length === 50, story.clock)
    story.server.faults.gone()
    await until(() => story.server.requests.count('list', 'services') === 2, story.clock)
    for (let i = 0; i < 20; i++) {
      reconcile()
      await story.clock.advanceAsync(1000)
    }
    expect(writes(story, 'services/status')).toBe(50)
    expect(writer.status()).toEqual({ writer: 'service-status', pending: 0 })
  })

  it('is cleared when the Service wants no address any more', async () => {
    const story = await begin()
    await story.pool('first')
    await story.service('a')
    await controller(story)
    await until(() => addressOf(story, 'a'), story.clock)
    await story.client.patch(
      resourceTypes.services,
      { namespace: 'default', name: 'a' },
      { spec: { loadBalancerClass: null, type: 'ClusterIP' } },
    )
    await until(async () => (await addressOf(story, 'a')) === undefined, story.clock)
    await until(async () => (await get(story, 'a')).metadata.annotations === undefined, story.clock)
  })

  it('is put right when somebody else has written it, but not in a race at full speed', async () => {
    const story = await begin()
    await story.pool('first')
    await story.service('a')
    await controller(story)
    await until(() => addressOf(story, 'a'), story.clock)
    const before = await addressOf(story, 'a')
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'default', name: 'a' } }
    for (let i = 0; i < 3; i++) {
      const present = await get(story, 'a')
      const status = { loadBalancer: { ingress: [{ ip: '198.51.100.1' }] } }
      await story.server.store.updateStatus({ ...service, ...present, status })
      await until(async () => (await addressOf(story, 'a')) === before, story.clock)
    }
    expect(writes(story, 'services/status')).toBe(4)
    expect(story.clock.now()).toBeGreaterThanOrEqual(500)
  })

  it('is written over no change that the decision did not know of', async () => {
    const story = await begin()
    await story.pool('first')
    await story.service('a')
    const { source } = await controller(story)
    // The Service changes while the first write is on its way.
    await story.client.patch(
      resourceTypes.services,
      { namespace: 'default', name: 'a' },
      { metadata: { annotations: { 'metallb.io/loadBalancerIPs': '192.0.2.77' } } },
    )
    await until(async () => (await addressOf(story, 'a')) === '192.0.2.77', story.clock)
    expect(story.log.lines.filter(({ level }) => level === 'error')).toEqual([])
    expect(source.current().problems).toEqual([])
  })

  it('is written by update where the account may not patch, as with the rules of MetalLB', async () => {
    const story = await begin()
    await story.pool('first')
    const labels = { app: 'web' }
    await story.server.store.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'a', namespace: 'default', labels, annotations: { note: 'mine' } },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
    })
    await story.service('b')
    story.server.faults.refuse(1000, forbidden('patch', 'services/status'), {
      verb: 'patch',
      resource: 'services/status',
    })
    const { writer } = await controller(story)
    await until(() => addressOf(story, 'a'), story.clock)
    await until(() => addressOf(story, 'b'), story.clock)
    await writer.idle()
    const { metadata, spec } = await get(story, 'a')
    expect(metadata.labels).toEqual(labels)
    expect(metadata.annotations).toEqual({ note: 'mine', 'metallb.io/ip-allocated-from-pool': 'first' })
    expect(spec.ports).toHaveLength(1)
    expect(story.server.requests.count('update', 'services/status')).toBe(2)
    // It remembers.
    await story.service('c')
    await until(() => addressOf(story, 'c'), story.clock)
    expect(story.server.requests.count('patch', 'services/status')).toBeLessThanOrEqual(2)
  })

  it('waits for a permission, says which one is missing, and asks for it by one request at a time', async () => {
    const story = await begin()
    await story.pool('first')
    for (let i = 0; i < 30; i++) await story.service(`s${i}`)
    for (const verb of ['patch', 'update'] as const)
      story.server.faults.refuse(10_000, forbidden(verb, 'services/status'), {
        verb,
        resource: 'services/status',
      })
    const { writer } = await controller(story)
    await until(() => writer.status().failing, story.clock)
    await until(() => story.server.requests.writes('services/status') >= 16 * 2)
    const before = writes(story, 'services/status')
    for (let i = 0; i < 10; i++) {
      await story.clock.advanceAsync(60_000)
      await until(() => writes(story, 'services/status') >= before + 2 * (i + 1))
    }
    expect(writes(story, 'services/status')).toBe(before + 20)
    const warnings = story.log.lines.filter(({ message }) => message === 'nothing can be written at present')
    expect(warnings.map(({ fields }) => fields.message)).toEqual([
      expect.stringMatching(
        /^may not patch services\/status default\/s\d+: give the account the verb "patch" on this resource by RBAC/,
      ),
    ])
    expect(writer.status()).toMatchObject({ pending: 30, failing: { error: { code: 'API_FORBIDDEN' } } })
    story.server.faults.clear()
    await until(async () => writer.status().pending === 0, story.clock, 1000)
    expect(writer.status().failing).toBeUndefined()
  })

  it('is written when the server is back, in its newest form and once', async () => {
    const story = await begin()
    await story.pool('first')
    const { writer, source } = await controller(story)
    await story.service('a')
    await until(() => addressOf(story, 'a'), story.clock)
    await until(() => source.current().services.some(ready), story.clock)
    await story.server.faults.down()
    for (let i = 0; i < 60; i++) await story.clock.advanceAsync(20_000)
    await story.server.faults.up()
    await story.service('b')
    await until(() => addressOf(story, 'b'), story.clock, 100)
    await writer.idle()
    expect(writes(story, 'services/status')).toBe(2)
  })

  it('is not written while another process leads', async () => {
    const story = await begin()
    await story.service('a')
    let leading = false
    const { client, clock, random } = story
    const source = keep(new KubernetesSource({ client, namespace: 'x', clock, random, kinds: ['services'] }))
    const { services } = await source.start()
    const a = services.find(({ metadata }) => metadata.name === 'a') as Service
    const writer = keep(
      new ServiceStatusWriter({
        client,
        clock,
        random,
        mayWrite: () => leading,
        versionOf: service => source.versionOf('services', service),
      }),
    )
    writer.reconcile(
      [a],
      new Map([
        ['default/a', { state: 'assigned', addresses: ['192.0.2.1'], pool: 'p', publish: 'addresses' }],
      ]),
    )
    await clock.advanceAsync(60_000)
    expect(writes(story, 'services/status')).toBe(0)
    leading = true
    writer.resume()
    await writer.idle()
    expect(await addressOf(story, 'a')).toBe('192.0.2.1')
  })
})

const ready = ({ status }: Service): boolean => status.loadBalancer.ingress.length > 0

describe('the status of pools', () => {
  const figures = async (story: Story, name: string): Promise<Json> =>
    (
      await story.server.store.get<Json>({
        apiVersion: 'metallb.io/v1beta1',
        kind: 'IPAddressPool',
        namespace: story.namespace,
        name,
      })
    ).status

  it('says how full they are, a few times a second at most, and not again when nothing has changed', async () => {
    const story = await begin()
    await story.pool('first', '192.0.2.0/24')
    await story.pool('second', '198.51.100.0/28')
    const { pools, source } = await controller(story)
    await until(() => figures(story, 'second'), story.clock)
    for (let i = 0; i < 40; i++) await story.service(`s${i}`)
    await until(async () => (await figures(story, 'first'))?.assignedIPv4 === 40, story.clock, 20)
    expect(await figures(story, 'first')).toEqual({
      assignedIPv4: 40,
      assignedIPv6: 0,
      availableIPv4: 216,
      availableIPv6: 0,
    })
    expect(writes(story, 'ipaddresspools/status.metallb.io')).toBeLessThanOrEqual(6)
    await pools.idle()
    const before = writes(story, 'ipaddresspools/status.metallb.io')
    // A new leader finds everything as it should be.
    pools.resume()
    await pools.idle()
    await until(() => source.current().services.filter(ready).length === 40, story.clock)
    await story.clock.advanceAsync(60_000)
    expect(writes(story, 'ipaddresspools/status.metallb.io')).toBe(before)
  })
})

describe('objects that say what a node does', () => {
  const node = 'node-a'

  async function options(story: Story, name = node, more: Partial<StatusObjectsOptions> = {}) {
    const { client, namespace, clock, random, log, metrics } = story
    const owner = more.owner ?? (await story.pod(`speaker-${name}`))
    return { client, namespace, clock, random, log, metrics, node: name, owner, ...more }
  }

  const objects = (story: Story, kind: string): Promise<readonly Json[]> =>
    story.server.store.list<Json>({ apiVersion: 'metallb.io/v1beta1', kind, namespace: story.namespace })

  it('are there for each Service that it announces on the local segment, with labels, owner and interfaces', async () => {
    const story = await begin()
    const writer = keep(new ServiceL2StatusWriter(await options(story)))
    writer.reconcile(
      new Map([
        ['default/web', { interfaces: 'all' }],
        ['shop/cart', { interfaces: ['eth0', 'eth1'] }],
      ]),
    )
    await writer.idle()
    const found = await objects(story, 'ServiceL2Status')
    expect(found.map(({ status }) => status)).toEqual(
      expect.arrayContaining([
        { node, serviceName: 'web', serviceNamespace: 'default' },
        {
          node,
          serviceName: 'cart',
          serviceNamespace: 'shop',
          interfaces: [{ name: 'eth0' }, { name: 'eth1' }],
        },
      ]),
    )
    const web = found.find(({ status }) => status.serviceName === 'web')
    expect(web.metadata).toMatchObject({
      name: expect.stringMatching(/^l2-/),
      labels: {
        'metallb.io/node': node,
        'metallb.io/service-name': 'web',
        'metallb.io/service-namespace': 'default',
      },
      ownerReferences: [{ kind: 'Pod', name: 'speaker-node-a' }],
    })
    // One to make it, one for its status.
    expect(story.server.requests.writes()).toBe(4)
  })

  it('are changed when something changes, left alone when nothing does, and removed when it ends', async () => {
    const story = await begin()
    const writer = keep(new ServiceL2StatusWriter(await options(story)))
    writer.reconcile(new Map([['default/web', { interfaces: ['eth0'] }]]))
    await writer.idle()
    writer.reconcile(new Map([['default/web', { interfaces: ['eth0'] }]]))
    await writer.idle()
    expect(story.server.requests.writes()).toBe(2)
    writer.reconcile(new Map([['default/web', { interfaces: 'all' }]]))
    await writer.idle()
    expect((await objects(story, 'ServiceL2Status'))[0].status.interfaces).toBeUndefined()
    writer.reconcile(new Map())
    await writer.idle()
    expect(await objects(story, 'ServiceL2Status')).toEqual([])
    expect(story.server.requests.writes()).toBe(4)
  })

  it('are taken over by the same node after a restart, not made anew, and follow its new Pod', async () => {
    const story = await begin()
    const before = new ServiceL2StatusWriter(await options(story))
    before.reconcile(
      new Map([
        ['default/web', { interfaces: 'all' }],
        ['default/gone', { interfaces: 'all' }],
      ]),
    )
    await before.idle()
    await before[Symbol.asyncDispose]()
    const [uid] = (await objects(story, 'ServiceL2Status'))
      .filter(({ status }) => status.serviceName === 'web')
      .map(({ metadata }) => metadata.uid)
    story.server.requests.reset()
    const next = await story.pod('speaker-2')
    const after = keep(new ServiceL2StatusWriter(await options(story, node, { owner: next })))
    after.reconcile(new Map([['default/web', { interfaces: 'all' }]]))
    await after.idle()
    expect(await objects(story, 'ServiceL2Status')).toMatchObject([
      { metadata: { uid, ownerReferences: [next] } },
    ])
    expect(story.server.requests.writes()).toBe(2)
  })

  it('of a node that died are removed by the one that took over, and those of others stay', async () => {
    const story = await begin()
    const dead = keep(new ServiceL2StatusWriter(await options(story, 'node-b')))
    dead.reconcile(
      new Map([
        ['default/web', { interfaces: 'all' }],
        ['default/other', { interfaces: 'all' }],
      ]),
    )
    await dead.idle()
    const writer = keep(new ServiceL2StatusWriter(await options(story)))
    writer.reconcile(new Map([['default/web', { interfaces: 'all', after: ['node-b'] }]]))
    await writer.idle()
    const left = (await objects(story, 'ServiceL2Status')).map(
      ({ status }) => `${status.node} ${status.serviceName}`,
    )
    expect(left.toSorted()).toEqual(['node-a web', 'node-b other'])
  })

  it('come back when somebody has deleted or edited them', async () => {
    const story = await begin()
    const writer = keep(new ServiceL2StatusWriter(await options(story)))
    writer.reconcile(new Map([['default/web', { interfaces: ['eth0'] }]]))
    await writer.idle()
    const [{ metadata }] = (await objects(story, 'ServiceL2Status')) as [Json]
    const key = { apiVersion: 'metallb.io/v1beta1', kind: 'ServiceL2Status', ...metadata }
    await story.server.store.delete(key)
    // Found out by the next change,
    writer.reconcile(new Map([['default/web', { interfaces: ['eth1'] }]]))
    await until(
      async () => (await objects(story, 'ServiceL2Status'))[0]?.status?.interfaces?.[0]?.name === 'eth1',
      story.clock,
    )
    // or else by looking now and then.
    await story.server.store.delete(key)
    const wrong = { apiVersion: 'metallb.io/v1beta1', kind: 'ServiceL2Status' }
    await story.server.store.create({
      ...wrong,
      metadata: { name: 'l2-stale', namespace: story.namespace, labels: { 'metallb.io/node': node } },
    })
    await story.clock.advanceAsync(760_000)
    await until(
      async () =>
        (await objects(story, 'ServiceL2Status')).map(one => one.metadata.name).join() === metadata.name,
      story.clock,
    )
    await writer.idle()
  })

  it('are there for each Service that it tells BGP peers of', async () => {
    const story = await begin()
    const writer = keep(new ServiceBgpStatusWriter(await options(story)))
    writer.reconcile(
      new Map([
        ['default/web', ['tor-2', 'tor-1', 'tor-2']],
        ['default/none', []],
      ]),
    )
    await writer.idle()
    writer.reconcile(new Map([['default/web', new Set(['tor-1', 'tor-2'])]]))
    await writer.idle()
    expect(await objects(story, 'ServiceBGPStatus')).toMatchObject([
      { status: { node, serviceName: 'web', serviceNamespace: 'default', peers: ['tor-1', 'tor-2'] } },
    ])
    expect(story.server.requests.writes()).toBe(2)
  })

  it('are there for each BGP session, and written every few seconds at most', async () => {
    const story = await begin()
    const writer = keep(new BgpSessionStateWriter(await options(story)))
    const since = story.clock.date()
    const peer = { peer: 'tor-1', peerAddress: '192.0.2.1', since }
    const list = (): Promise<readonly Json[]> =>
      story.server.store.list<Json>({
        apiVersion: 'carillon.io/v1alpha1',
        kind: 'BGPSessionState',
        namespace: story.namespace,
      })
    writer.reconcile([{ ...peer, bgpStatus: 'Idle', reason: 'nobody listens there' }])
    await writer.idle()
    for (let i = 0; i < 20; i++) {
      writer.reconcile([{ ...peer, bgpStatus: i % 2 === 0 ? 'Connect' : 'Active' }])
      await story.clock.advanceAsync(100)
    }
    writer.reconcile([{ ...peer, bgpStatus: 'Established', bfdStatus: 'Up', since: story.clock.date() }])
    await until(async () => (await list())[0]?.status?.bgpStatus === 'Established', story.clock, 100)
    expect(await list()).toMatchObject([
      {
        metadata: { name: expect.stringMatching(/^node-a-tor-1-/), labels: { 'carillon.io/node': node } },
        status: { node, peer: 'tor-1', bfdStatus: 'Up', since: '2026-01-01T00:00:02Z' },
      },
    ])
    expect((await list())[0].status.reason).toBeUndefined()
    expect(story.server.requests.writes()).toBe(3)
    writer.reconcile([])
    await until(async () => (await list()).length === 0, story.clock, 100)
  })

  it('are not written without their CRD, which is said once, and the rest goes on', async () => {
    const story = await begin(['bgpsessionstates'])
    const writer = keep(new BgpSessionStateWriter(await options(story)))
    const since = story.clock.date()
    writer.reconcile([{ peer: 'tor-1', bgpStatus: 'Idle', since }])
    await until(() => writer.status().failing, story.clock)
    for (let i = 0; i < 20; i++) await story.clock.advanceAsync(30_000)
    expect(story.log.lines.map(({ fields }) => fields.message)).toEqual([
      'cannot list bgpsessionstates.carillon.io in metallb-system: the API server does not know this resource; install its CustomResourceDefinition',
    ])
  })

  it('say whether the configuration is valid, and are written when that changes', async () => {
    const story = await begin()
    const component = { type: 'speaker', node } as const
    const writer = keep(new ConfigurationStateWriter({ ...(await options(story)), component }))
    const states = (): Promise<readonly Json[]> => objects(story, 'ConfigurationState')
    writer.reconcile([])
    await writer.idle()
    expect(await states()).toMatchObject([
      {
        metadata: {
          name: 'speaker-node-a',
          labels: { 'metallb.io/component-type': 'speaker', 'metallb.io/node-name': node },
          ownerReferences: [{ kind: 'Pod', name: 'speaker-node-a' }],
        },
        status: { result: 'Valid', conditions: [{ type: 'configReconcilerValid', status: 'True' }] },
      },
    ])
    writer.reconcile([])
    const problem = { kind: 'BGPPeer', name: 'p', field: 'spec.myASN', message: 'must not be 0' }
    writer.reconcile([{ severity: 'warning', ...problem }])
    await writer.idle()
    expect(story.server.requests.writes()).toBe(2)
    writer.reconcile([{ severity: 'error', ...problem }])
    await until(async () => (await states())[0].status.result === 'Invalid', story.clock, 10)
    expect((await states())[0].status.errorSummary).toBe('BGPPeer p spec.myASN: must not be 0')
    writer.reconcile([])
    await until(async () => (await states())[0].status.result === 'Valid', story.clock, 10)
    expect((await states())[0].status.errorSummary).toBeUndefined()
  })
})

describe('events', () => {
  const about = { apiVersion: 'v1', kind: 'Service', namespace: 'default', name: 'web', uid: 'u-1' }
  const events = (story: Story): Promise<readonly Json[]> =>
    story.server.store.list<Json>({ apiVersion: 'v1', kind: 'Event', namespace: 'default' })

  function recorder(story: Story): EventRecorder {
    const { client, clock, random, log, metrics } = story
    let seed = 0
    const varied = (): number => (random() + seed++ / 1000) % 1
    return keep(
      new EventRecorder({
        client,
        clock,
        random: varied,
        log,
        metrics,
        component: 'metallb-controller',
        host: 'n1',
      }),
    )
  }

  it('tell of an object, and count what is said again', async () => {
    const story = await begin()
    const tell = recorder(story)
    const note = { about, type: 'Warning', reason: 'AllocationFailed', message: 'full' } as const
    tell.record(note)
    await tell.idle()
    for (let i = 0; i < 5; i++) {
      tell.record(note)
      await story.clock.advanceAsync(1000)
    }
    await until(async () => (await events(story))[0]?.count === 6, story.clock, 100)
    expect(await events(story)).toMatchObject([
      {
        involvedObject: about,
        type: 'Warning',
        reason: 'AllocationFailed',
        message: 'full',
        source: { component: 'metallb-controller', host: 'n1' },
        firstTimestamp: '2026-01-01T00:00:00Z',
        lastTimestamp: '2026-01-01T00:00:04Z',
      },
    ])
    // One to make it, one for all that came within ten seconds.
    expect(story.server.requests.writes('events')).toBe(2)
  })

  it('that have been swept away are told again', async () => {
    const story = await begin()
    const tell = recorder(story)
    const note = { about, type: 'Normal', reason: 'IPAllocated', message: 'x' } as const
    tell.record(note)
    await tell.idle()
    const [{ metadata }] = (await events(story)) as [Json]
    await story.server.store.delete({ apiVersion: 'v1', kind: 'Event', ...metadata })
    tell.record(note)
    await until(async () => (await events(story)).length === 1, story.clock, 100)
    expect((await events(story))[0].count).toBe(2)
  })

  it('do not flood the API server', async () => {
    const story = await begin()
    const tell = recorder(story)
    for (let i = 0; i < 5000; i++)
      tell.record({ about: { ...about, name: `s${i}` }, type: 'Normal', reason: 'IPAllocated', message: 'x' })
    await tell.idle()
    expect(story.server.requests.writes('events')).toBe(50)
    expect(story.metrics.value('carillon_k8s_events_dropped_total')).toBe(4950)
  })
})
