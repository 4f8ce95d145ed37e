import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bgpPeerToV1beta1, bgpPeerToV1beta2, keptAnnotation } from './bgp-peer-conversion.ts'
import { parseResource } from './parse.ts'
import type { BGPPeer } from './types.generated.ts'
import type { Fields } from './value.ts'

const metadata = {
  name: 'tor',
  namespace: 'metallb-system',
  uid: 'a1',
  finalizers: ['x'],
  annotations: { note: 'mine' },
}
const v1beta1 = (spec: object, annotations?: object): Fields => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'BGPPeer',
  metadata: annotations ? { ...metadata, annotations } : metadata,
  spec: { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1', ...spec },
})
const v1beta2 = (spec: object): Fields => ({
  apiVersion: 'metallb.io/v1beta2',
  kind: 'BGPPeer',
  metadata,
  spec,
})
const spec = (object: Fields) => object.spec as Fields
const annotations = (object: Fields) => (object.metadata as Fields).annotations as Fields

/** What an API server does to an object between two conversions: the fields of every object in order of name. */
const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  )
}

describe('a v1beta1 BGPPeer', () => {
  it('means the same as v1beta2', () => {
    const object = v1beta1({
      peerPort: 1179,
      holdTime: '90s',
      keepaliveTime: '30s',
      routerID: '10.0.0.1',
      sourceAddress: '192.0.2.9',
      password: 'secret',
      bfdProfile: 'fast',
      ebgpMultiHop: true,
      nodeSelectors: [{ matchLabels: { a: 'b' } }],
    })
    expect(bgpPeerToV1beta2(object)).toEqual({ ...object, apiVersion: 'metallb.io/v1beta2' })
  })

  it('leaves unset what it spells as zero', () => {
    const object = v1beta1({ peerASN: 0, peerAddress: '', peerPort: 0, holdTime: '0s', keepaliveTime: '0h' })
    expect(spec(bgpPeerToV1beta2(object))).toEqual({ myASN: 64512 })
  })

  it('is read as v1beta2, with its defaults', () => {
    const { resource } = parseResource(v1beta1({ holdTime: '0s', keepaliveTime: '0s', peerPort: 0 })) ?? {}
    expect((resource as BGPPeer).apiVersion).toBe('metallb.io/v1beta2')
    expect((resource as BGPPeer).spec).toEqual({
      myASN: 64512,
      peerASN: 64513,
      peerAddress: '192.0.2.1',
      peerPort: 179,
      disableMP: false,
      dualStackAddressFamily: false,
    })
  })

  it('brings back what its annotation keeps, and the annotation is gone', () => {
    const { resource } =
      parseResource(v1beta1({}, { note: 'mine', [keptAnnotation]: '{"vrf":"red","connectTime":"5s"}' })) ?? {}
    expect((resource as BGPPeer).spec).toMatchObject({ vrf: 'red', connectTime: '5s' })
    expect(resource?.metadata.annotations).toEqual({ note: 'mine' })
  })

  it.each([
    'not JSON',
    '[]',
    'null',
    '{"vrf":7,"connectTime":"1ms","dynamicASN":"any","localASN":0}',
    '{"password":"x","peerPort":1,"myASN":5,"unheardOf":true,"__proto__":{"vrf":"red"}}',
    '{"nodeSelectors":{"a":1},"holdTime":"9s"}',
  ])('takes nothing from an annotation that holds %s', text => {
    expect(spec(bgpPeerToV1beta2(v1beta1({}, { [keptAnnotation]: text })))).toEqual(spec(v1beta1({})))
  })
})

describe('a v1beta2 BGPPeer', () => {
  it('needs no annotation when v1beta1 can say all of it', () => {
    const object = v1beta2({ ...spec(v1beta1({})), peerPort: 179, holdTime: '90s', disableMP: false })
    expect(annotations(bgpPeerToV1beta1(object))).toEqual({ note: 'mine' })
  })

  it('keeps what v1beta1 has no field for in an annotation, and never its password', () => {
    const object = v1beta2({
      myASN: 64512,
      dynamicASN: 'external',
      interface: 'eth0',
      password: 'hunter2',
      passwordSecret: { name: 'key' },
      enableGracefulRestart: false,
    })
    const converted = bgpPeerToV1beta1(object)
    expect(spec(converted)).toEqual({ myASN: 64512, peerASN: 0, peerAddress: '', password: 'hunter2' })
    expect(annotations(converted)).toEqual({ note: 'mine', [keptAnnotation]: expect.any(String) })
    expect(JSON.parse(annotations(converted)[keptAnnotation] as string)).toEqual({
      dynamicASN: 'external',
      interface: 'eth0',
      passwordSecret: { name: 'key' },
      enableGracefulRestart: false,
      together: ['passwordSecret'],
    })
  })

  it('writes selectors so that v1beta1 admits them, and has them back as they were', () => {
    const nodeSelectors = [{ matchExpressions: [{ key: 'rack', operator: 'Exists' }] }]
    const peer = { myASN: 64512, peerASN: 64513, peerAddress: '192.0.2.1', nodeSelectors }
    const old = { kind: 'BGPPeer', ...bgpPeerToV1beta1(v1beta2(peer)) }
    expect(parseResource(old)?.problems).toEqual([])
    expect(spec(bgpPeerToV1beta2(old)).nodeSelectors).toEqual(nodeSelectors)
  })

  it('follows a change that was made through v1beta1', () => {
    const object = v1beta2({
      myASN: 64512,
      dynamicASN: 'external',
      interface: 'eth0',
      passwordSecret: { name: 'key' },
      vrf: 'red',
      holdTime: '0s',
      nodeSelectors: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }],
    })
    const old = bgpPeerToV1beta1(object)
    const edited = {
      ...old,
      spec: {
        ...spec(old),
        peerASN: 1,
        peerAddress: '192.0.2.7',
        password: 'x',
        holdTime: '30s',
        nodeSelectors: [],
      },
    }
    expect(spec(bgpPeerToV1beta2(edited))).toEqual({
      myASN: 64512,
      peerASN: 1,
      peerAddress: '192.0.2.7',
      password: 'x',
      vrf: 'red',
      holdTime: '30s',
      nodeSelectors: [],
    })
  })

  it('comes through v1beta1 and back unchanged', () => {
    const text = fc.constantFrom('a', '192.0.2.1', 'eth0')
    const selector = fc.record(
      {
        matchLabels: fc.dictionary(fc.constantFrom('a', 'b'), text),
        matchExpressions: fc.array(
          fc.record(
            { key: text, operator: fc.constantFrom('In', 'Exists'), values: fc.array(text) },
            { requiredKeys: ['key', 'operator'] },
          ),
        ),
      },
      { requiredKeys: [] },
    )
    const duration = fc.constantFrom('0s', '3s', '1m30s')
    const asn = fc.integer({ min: 1, max: 4294967295 })
    const fields = fc.record(
      {
        myASN: asn,
        localASN: asn,
        sourceAddress: text,
        peerPort: fc.integer({ min: 1, max: 16384 }),
        holdTime: duration,
        keepaliveTime: duration,
        connectTime: fc.constantFrom('1s', '2m'),
        routerID: text,
        nodeSelectors: fc.array(selector),
        bfdProfile: text,
        enableGracefulRestart: fc.boolean(),
        ebgpMultiHop: fc.boolean(),
        vrf: text,
      },
      { requiredKeys: ['myASN'] },
    )
    // Also what only the configuration refuses: both of two fields that exclude each other, or neither.
    const some = (fields: Readonly<Record<string, fc.Arbitrary<unknown>>>) =>
      fc.record(fields, { requiredKeys: [] })
    const remote = some({ peerASN: asn, dynamicASN: fc.constantFrom('internal', 'external') })
    const place = some({ peerAddress: text, interface: text })
    const key = some({ password: text, passwordSecret: fc.record({ name: text }) })
    fc.assert(
      fc.property(fields, remote, place, key, (...parts) => {
        const object = v1beta2(Object.assign({}, ...parts))
        const old = bgpPeerToV1beta1(object)
        expect(old.apiVersion).toBe('metallb.io/v1beta1')
        expect(bgpPeerToV1beta2(sorted(old) as Fields)).toEqual(object)
      }),
    )
  })

  it('without a spec stays without one', () => {
    const bare = { apiVersion: 'metallb.io/v1beta2', kind: 'BGPPeer', metadata: { name: 'tor' } }
    expect(bgpPeerToV1beta2(bgpPeerToV1beta1(bare))).toEqual(bare)
  })
})
