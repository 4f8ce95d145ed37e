import type { Service } from '@carillon/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { WatchEvent } from '../client/index.ts'
import { sameValue } from './same-value.ts'
import { Shelf } from './shelf.ts'
import { watchedKinds } from './watched-kind.ts'

let version = 0

interface Fields {
  readonly metadata?: object
  readonly spec?: object
  readonly status?: object
}

const service = (name: string, { metadata, spec, status }: Fields = {}): object => ({
  metadata: { name, namespace: 'default', resourceVersion: String(++version), ...metadata },
  spec: { type: 'LoadBalancer', ports: [{ port: 80 }], ...spec },
  ...(status === undefined ? {} : { status }),
})

const change = (type: WatchEvent['type'], object: object): WatchEvent => ({
  type,
  object,
  resourceVersion: String(version),
})

function filled(...objects: readonly object[]): Shelf {
  const shelf = new Shelf(watchedKinds.services)
  shelf.begin()
  shelf.stage(objects)
  shelf.commit()
  return shelf
}

const names = (shelf: Shelf): readonly string[] => shelf.items().map(({ metadata }) => metadata.name)

describe('the objects of a kind', () => {
  it('stand in the order of their names, whatever the order in which they came', () => {
    const shelf = filled(service('c'), service('a'))
    shelf.apply([change('ADDED', service('b'))])
    expect(names(shelf)).toEqual(['a', 'b', 'c'])
    shelf.apply([change('DELETED', service('a'))])
    expect(names(shelf)).toEqual(['b', 'c'])
  })

  it('hold what Carillon reads, and nothing else', () => {
    const shelf = filled(
      service('a', {
        metadata: {
          uid: 'u',
          creationTimestamp: '2026-01-01T00:00:00Z',
          labels: { app: 'web' },
          annotations: {
            'metallb.io/address-pool': 'p',
            'metallb.universe.tf/allow-shared-ip': 'k',
            'kubectl.kubernetes.io/last-applied-configuration': 'x'.repeat(1000),
          },
          managedFields: [{ manager: 'kubectl', fieldsV1: {} }],
          ownerReferences: [{ kind: 'X' }],
        },
        spec: { sessionAffinity: 'None', internalTrafficPolicy: 'Cluster', clusterIPs: ['10.0.0.1'] },
        status: { loadBalancer: { ingress: [{ ip: '192.0.2.1', ipMode: 'VIP' }] }, conditions: [] },
      }),
    )
    expect(shelf.items()).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: {
          name: 'a',
          namespace: 'default',
          uid: 'u',
          labels: { app: 'web' },
          annotations: { 'metallb.io/address-pool': 'p', 'metallb.universe.tf/allow-shared-ip': 'k' },
        },
        spec: {
          type: 'LoadBalancer',
          clusterIPs: ['10.0.0.1'],
          ipFamilies: [],
          externalTrafficPolicy: 'Cluster',
          selector: {},
          ports: [{ protocol: 'TCP', port: 80 }],
        },
        status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
      },
    ])
  })

  it('are the same as before when only something has changed that nobody reads', () => {
    const shelf = filled(service('a'), service('b'))
    const before = shelf.items()
    const noise = service('a', {
      metadata: { annotations: { note: 'x' } },
      spec: { sessionAffinity: 'ClientIP' },
    })
    expect(shelf.apply([change('MODIFIED', noise)])).toBe(0)
    expect(shelf.items()).toBe(before)
    // Their version is known all the same.
    expect(shelf.versionOf(before[0] as Service)).toBe(String(version))
    shelf.apply([change('MODIFIED', service('b', { spec: { ports: [{ port: 81 }] } }))])
    expect(shelf.items()).not.toBe(before)
    expect(shelf.items()[0]).toBe(before[0])
    expect(shelf.items()[1]).not.toBe(before[1])
    // What was handed out does not change.
    expect((before[1] as Service).spec.ports[0]?.port).toBe(80)
  })

  it('are the same as before in a new list, except for what it has no longer', () => {
    const shelf = filled(service('a'), service('b'), service('c'))
    const before = shelf.items()
    shelf.begin()
    shelf.stage([service('a')])
    shelf.stage([service('c')])
    // Half a list is none.
    expect(shelf.items()).toBe(before)
    expect(shelf.commit()).toBe(1)
    expect(shelf.items()).toEqual([before[0], before[2]])
    expect(shelf.items()[1]).toBe(before[2])
    shelf.begin()
    shelf.stage([service('a'), service('c')])
    const held = shelf.items()
    expect(shelf.commit()).toBe(0)
    expect(shelf.items()).toBe(held)
  })

  it('that were made anew under their name are other objects', () => {
    const shelf = filled(service('a', { metadata: { uid: '1' } }))
    const [before] = shelf.items()
    shelf.apply([
      change('DELETED', service('a', { metadata: { uid: '1' } })),
      change('ADDED', service('a', { metadata: { uid: '2' } })),
    ])
    expect(shelf.items()[0]).not.toBe(before)
  })

  it('of Kubernetes itself that cannot be understood stay as they were, with a warning', () => {
    const shelf = filled(service('a'), service('b'))
    const before = shelf.items()
    shelf.apply([
      change('MODIFIED', service('a', { spec: { ports: 'many' } })),
      change('ADDED', service('c', { spec: { ports: 7 } })),
    ])
    expect(shelf.items()).toEqual(before)
    expect(shelf.problems()).toMatchObject([
      { severity: 'warning', kind: 'Service', name: 'a', field: 'spec.ports' },
      { severity: 'warning', kind: 'Service', name: 'c', field: 'spec.ports' },
    ])
    shelf.apply([change('MODIFIED', service('a')), change('DELETED', service('c'))])
    expect(shelf.problems()).toEqual([])
    expect(shelf.items()[0]).toBe(before[0])
  })

  it('of MetalLB that cannot be understood are errors: the configuration as a whole is not valid', () => {
    const shelf = new Shelf(watchedKinds.pools)
    shelf.apply([
      change('ADDED', {
        metadata: { name: 'p', namespace: 'metallb-system', resourceVersion: '1' },
        spec: {},
      }),
    ])
    expect(shelf.items()).toEqual([])
    expect(shelf.problems()).toMatchObject([{ severity: 'error', kind: 'IPAddressPool', name: 'p' }])
  })

  it('that are no objects at all are left out', () => {
    const shelf = filled(
      null as unknown as object,
      [],
      { metadata: {} },
      { metadata: { name: 7 } },
      service('a'),
    )
    expect(names(shelf)).toEqual(['a'])
  })

  it('keep of a Secret its password alone, of an EndpointSlice its Service, and of a pool nothing that is written back', () => {
    const one = (kind: 'secrets' | 'endpointSlices' | 'pools', object: object): unknown => {
      const shelf = new Shelf(watchedKinds[kind])
      shelf.apply([change('ADDED', object)])
      return shelf.items()[0]
    }
    const metadata = {
      name: 'x',
      namespace: 'n',
      labels: { 'kubernetes.io/service-name': 'web', app: 'web' },
      annotations: { a: 'b' },
    }
    expect(
      one('secrets', {
        metadata,
        type: 'kubernetes.io/basic-auth',
        data: { password: 'eA==', username: 'eA==' },
      }),
    ).toMatchObject({ metadata: { labels: {}, annotations: {} }, data: { password: 'eA==' } })
    const slice = one('endpointSlices', {
      metadata,
      addressType: 'IPv4',
      endpoints: [
        { addresses: ['10.1.1.1'], nodeName: 'n1', targetRef: { kind: 'Pod', name: 'p' }, zone: 'z' },
      ],
    })
    expect(slice).toMatchObject({ metadata: { labels: { 'kubernetes.io/service-name': 'web' } } })
    expect((slice as { endpoints: unknown }).endpoints).toEqual([
      { addresses: ['10.1.1.1'], conditions: {}, nodeName: 'n1' },
    ])
    const status = { assignedIPv4: 1, assignedIPv6: 0, availableIPv4: 1, availableIPv6: 0 }
    expect(one('pools', { metadata, spec: { addresses: ['192.0.2.0/24'] }, status })).not.toHaveProperty(
      'status',
    )
  })

  it('come out the same whether they came one by one or as a list', () => {
    const specs = fc.record({
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      port: fc.constantFrom(80, 81),
      gone: fc.boolean(),
    })
    fc.assert(
      fc.property(fc.array(specs), changes => {
        const watched = filled()
        const there = new Map<string, object>()
        for (const { name, port, gone } of changes) {
          const object = service(name, { spec: { ports: [{ port }] } })
          if (gone) there.delete(name)
          else there.set(name, object)
          watched.apply([change(gone ? 'DELETED' : 'MODIFIED', object)])
          watched.items()
        }
        const listed = filled(...there.values())
        expect(watched.items()).toEqual(listed.items())
        // And the list, laid over it, changes nothing.
        watched.begin()
        watched.stage([...there.values()])
        expect(watched.commit()).toBe(0)
      }),
    )
  })
})

it('values are the same exactly when they say the same', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => {
      expect(sameValue(a, structuredClone(a))).toBe(true)
      const order = (value: unknown): unknown =>
        Array.isArray(value)
          ? value.map(order)
          : typeof value === 'object' && value !== null
            ? Object.fromEntries(
                Object.entries(value)
                  .map(([key, item]) => [key, order(item)] as const)
                  .sort(([one], [other]) => (one < other ? -1 : 1)),
              )
            : value
      expect(sameValue(a, b)).toBe(JSON.stringify(order(a)) === JSON.stringify(order(b)))
    }),
  )
})
