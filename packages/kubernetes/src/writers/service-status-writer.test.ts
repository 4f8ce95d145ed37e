import { type Assignment, parseResource, type Service } from '@carillon/core'
import { FakeClock } from '@carillon/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Client } from '../client/index.ts'
import { ScriptedPeer } from '../support/scripted-peer.ts'
import { ServiceStatusWriter } from './service-status-writer.ts'

const service = (name: string, ip?: string): Service =>
  parseResource({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace: 'default',
      annotations: ip === undefined ? {} : { 'metallb.io/ip-allocated-from-pool': 'p' },
    },
    spec: { type: 'LoadBalancer' },
    status: { loadBalancer: { ingress: ip === undefined ? [] : [{ ip }] } },
  })?.resource as Service

const assigned = (ip: string): Assignment => ({
  state: 'assigned',
  addresses: [ip],
  pool: 'p',
  publish: 'addresses',
})

function story() {
  const peer = new ScriptedPeer()
  const clock = new FakeClock()
  const versions = new Map<Service, string>()
  const versioned = (version: string, ...of: Parameters<typeof service>): Service => {
    const one = service(...of)
    versions.set(one, version)
    return one
  }
  const writer = new ServiceStatusWriter({
    client: new Client({ transport: peer, clock }),
    clock,
    random: () => 0,
    versionOf: one => versions.get(one),
  })
  const reconcile = (one: Service, ip: string): void =>
    writer.reconcile([one], new Map([['default/a', assigned(ip)]]))
  const answer = (version: string): object => ({
    metadata: { name: 'a', namespace: 'default', resourceVersion: version },
  })
  return { peer, clock, writer, versioned, reconcile, answer }
}

describe('a writer of the status of Services', () => {
  it('writes addresses and pool by one patch, over the version that it knows', async () => {
    const { peer, versioned, reconcile, writer, answer } = story()
    reconcile(versioned('9', 'a'), '192.0.2.1')
    const request = await peer.next()
    expect(`${request.method} ${request.path}`).toBe('PATCH /api/v1/namespaces/default/services/a/status')
    expect(request.headers['content-type']).toBe('application/merge-patch+json')
    expect(request.body).toEqual({
      metadata: { resourceVersion: '9', annotations: { 'metallb.io/ip-allocated-from-pool': 'p' } },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1', ipMode: 'VIP' }] } },
    })
    await request.reply(200, answer('10'))
    await writer.idle()
  })

  it('does not write again before its source shows what it has written', async () => {
    const { peer, clock, versioned, reconcile, writer, answer } = story()
    const nine = versioned('9', 'a')
    reconcile(nine, '192.0.2.1')
    await (await peer.next()).reply(200, answer('100'))
    await writer.idle()
    // What arrives first was written before.
    reconcile(versioned('99', 'a'), '192.0.2.1')
    reconcile(versioned('100', 'a', '192.0.2.1'), '192.0.2.1')
    await writer.idle()
    expect(peer.log).toHaveLength(1)
    // From then on the source is right, whatever it says.
    reconcile(versioned('101', 'a'), '192.0.2.1')
    await clock.advanceAsync(250)
    expect((await peer.next()).body).toMatchObject({ metadata: { resourceVersion: '101' } })
  })

  it('whose knowledge is out of date tries again with what it learns meanwhile', async () => {
    const { peer, clock, versioned, reconcile, writer, answer } = story()
    reconcile(versioned('9', 'a'), '192.0.2.1')
    await (await peer.next()).refuse(409, 'Conflict')
    await clock.advanceAsync(49)
    expect(peer.pending).toHaveLength(0)
    reconcile(versioned('11', 'a'), '192.0.2.2')
    await clock.advanceAsync(1)
    const again = await peer.next()
    expect(again.body).toMatchObject({
      metadata: { resourceVersion: '11' },
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.2' }] } },
    })
    await again.reply(200, answer('12'))
    await writer.idle()
  })

  it('clears what it has given, and the annotation under both its names', async () => {
    const { peer, writer } = story()
    const old = service('a', '192.0.2.1')
    const annotations = { ...old.metadata.annotations, 'metallb.universe.tf/ip-allocated-from-pool': 'p' }
    const nothing: Assignment = { state: 'pending', addresses: [], publish: 'nothing' }
    writer.reconcile(
      [{ ...old, metadata: { ...old.metadata, annotations } }],
      new Map([['default/a', nothing]]),
    )
    expect((await peer.next()).body).toEqual({
      metadata: {
        annotations: {
          'metallb.io/ip-allocated-from-pool': null,
          'metallb.universe.tf/ip-allocated-from-pool': null,
        },
      },
      status: { loadBalancer: { ingress: null } },
    })
  })

  it('leaves Services of other controllers alone, and gives up one that has gone', async () => {
    const { peer, clock, writer, versioned, reconcile } = story()
    const others: Assignment = { state: 'ignored', addresses: [], publish: 'asIs' }
    writer.reconcile([versioned('9', 'a', '198.51.100.1')], new Map([['default/a', others]]))
    await writer.idle()
    expect(peer.log).toEqual([])
    reconcile(versioned('10', 'a'), '192.0.2.1')
    await (await peer.next()).refuse(404, 'NotFound', '', { name: 'a', kind: 'services' })
    writer.reconcile([], new Map())
    await clock.advanceAsync(60_000)
    expect(peer.log).toHaveLength(1)
  })

  it('forgets what was wanted when it is held back', async () => {
    const { peer, clock, writer, versioned, reconcile } = story()
    const a = versioned('9', 'a')
    reconcile(a, '192.0.2.1')
    const request = await peer.next()
    writer.hold()
    expect(request.given).toBe(true)
    await writer.idle()
    await clock.advanceAsync(60_000)
    expect(peer.pending).toHaveLength(0)
    reconcile(a, '192.0.2.7')
    expect((await peer.next()).body).toMatchObject({
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.7' }] } },
    })
  })

  it('that is told what has changed does as one that looks at everything', async () => {
    const steps = fc.array(
      fc.record({
        name: fc.constantFrom('a', 'b', 'c', 'd'),
        what: fc.constantFrom('service', 'assignment', 'both', 'gone'),
        ip: fc.constantFrom('192.0.2.1', '192.0.2.2'),
      }),
      { maxLength: 12 },
    )
    await fc.assert(
      fc.asyncProperty(steps, async changes => {
        const [whole, told] = [story(), story()]
        const services = new Map<string, Service>()
        const assignments = new Map<string, Assignment>()
        for (const { name, what, ip } of changes) {
          const key = `default/${name}`
          if (what === 'gone') {
            services.delete(name)
            assignments.delete(key)
          } else {
            if (what !== 'assignment' || !services.has(name)) services.set(name, service(name, ip))
            if (what !== 'service') assignments.set(key, assigned(ip))
          }
          const list = [...services.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
          whole.writer.reconcile(list, assignments)
          told.writer.reconcile(list, assignments, [key])
          expect(told.writer.status()).toEqual(whole.writer.status())
        }
        await Promise.all([whole.peer.next().catch(() => {}), told.peer.next().catch(() => {})])
        expect(told.peer.log).toEqual(whole.peer.log)
      }),
    )
  })
})
