import { fileURLToPath } from 'node:url'
import { webhookConfiguration } from '@carillon/kubernetes'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { missing } from '../support/missing.ts'
import type { Json } from './support/api.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { eventually } from './support/eventually.ts'
import { Hooks } from './support/hooks.ts'
import { Kubectl } from './support/kubectl.ts'

const crds = fileURLToPath(new URL('../../deploy/crds', import.meta.url))
const why = missing('kubectl')
const configurations = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations'
const peersDefinition = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/bgppeers.metallb.io'

const object = (version: string, kind: string, name: string, spec: object): string =>
  `${stringify({ apiVersion: `metallb.io/${version}`, kind, metadata: { name }, spec })}---\n`
const pool = (name: string, ...addresses: readonly string[]): string =>
  object('v1beta1', 'IPAddressPool', name, { addresses })
const peer = (name: string, spec: object): string =>
  object('v1beta2', 'BGPPeer', name, { myASN: 64512, peerASN: 64513, ...spec })

describe('kubectl, with the webhooks in force', () => {
  let cluster: Cluster
  let kubectl: Kubectl
  let hooks: Hooks
  let namespace: string

  beforeAll(async () => {
    if (why !== undefined) return
    cluster = await startCluster()
    namespace = await cluster.namespace()
    kubectl = new Kubectl(cluster.kubeconfig(), namespace)
    // Kubernetes 1.22 does not know the field for rules yet, and kubectl would not send it one.
    await kubectl.must(['apply', '--validate=false', '-f', crds])
    await kubectl.must(['wait', '--for=condition=established', '-f', crds, '--timeout=30s'])
    hooks = await Hooks.start(cluster.kubeconfig(), namespace, { lookMs: 50 })
    const { url } = hooks
    await cluster.api.post(configurations, webhookConfiguration({ namespace, url }))
    await cluster.api.patch(peersDefinition, 'merge', {
      spec: { conversion: { webhook: { clientConfig: { service: null, url: `${url}/convert` } } } },
    })
    // The API server takes a moment to know whom it trusts.
    await eventually(
      () =>
        kubectl.run(
          ['apply', '--dry-run=server', '-f', '-'],
          `${pool('probe', '10.9.0.0/24')}${peer('probe', { peerAddress: '10.9.0.1' })}`,
        ),
      ({ code }) => code === 0,
    )
  })
  beforeEach(async context => {
    context.skip(why !== undefined, why)
    for (const kind of [
      'bgppeers',
      'bfdprofiles',
      'ipaddresspools',
      'l2advertisements',
      'bgpadvertisements',
      'communities',
    ])
      await kubectl.must(['delete', kind, '--all'])
  })
  afterAll(async () => {
    if (why !== undefined) return
    await cluster.api.ask('DELETE', `${configurations}/metallb-webhook-configuration`)
    await hooks[Symbol.asyncDispose]()
    kubectl[Symbol.dispose]()
    await cluster[Symbol.asyncDispose]()
  })

  const apply = (text: string, ...args: readonly string[]) => kubectl.run(['apply', '-f', '-', ...args], text)

  it('admits what is right', async () => {
    const all = [
      pool('first', '192.0.2.0/24'),
      object('v1beta1', 'L2Advertisement', 'l2', { ipAddressPools: ['first'] }),
      object('v1beta1', 'Community', 'names', { communities: [{ name: 'vpn', value: '65000:1' }] }),
      object('v1beta1', 'BGPAdvertisement', 'bgp', { communities: ['vpn'], aggregationLength: 26 }),
      object('v1beta1', 'BFDProfile', 'fast', { receiveInterval: 50 }),
      peer('tor', { peerAddress: '192.0.2.1', bfdProfile: 'fast' }),
    ]
    const { code, out, err } = await apply(all.join(''))
    expect([code, err]).toEqual([0, ''])
    expect(out.trimEnd().split('\n')).toHaveLength(6)
  })

  it('is told which field of which object is wrong, and what to do', async () => {
    const { code, err } = await apply(pool('first', '192.0.2.9-192.0.2.3'))
    expect(code).toBe(1)
    expect(err).toContain('admission webhook "ipaddresspoolvalidationwebhook.metallb.io" denied the request')
    expect(err).toContain('IPAddressPool "first" spec.addresses[0]: ')
  })

  it('is refused the second of two pools that overlap, also when both are applied at once', async () => {
    const { code, out, err } = await apply(`${pool('a', '192.0.2.0/24')}${pool('b', '192.0.2.128/25')}`)
    expect([code, out]).toEqual([1, 'ipaddresspool.metallb.io/a created\n'])
    expect(err).toContain(
      'IPAddressPool "b" spec.addresses[0]: 192.0.2.128/25 overlaps with 192.0.2.0/24 (spec.addresses[0]) of IPAddressPool "a"',
    )
  })

  it('can put a pool in the place of one that was deleted a moment ago', async () => {
    for (let i = 0; i < 5; i++) {
      expect(await apply(pool(`pool-${i}`, '192.0.2.0/24'))).toMatchObject({ code: 0 })
      await kubectl.must(['delete', 'ipaddresspool', `pool-${i}`])
    }
  })

  it('is refused a change of a pool that an advertisement cannot do with', async () => {
    const ad = object('v1beta1', 'BGPAdvertisement', 'wide', { aggregationLength: 24 })
    expect((await apply(`${pool('first', '192.0.2.0/24')}${ad}`)).code).toBe(0)
    const { code, err } = await apply(pool('first', '192.0.2.0/28'))
    expect(code).toBe(1)
    expect(err).toContain('BGPAdvertisement "wide" spec.aggregationLength: /24 is wider than 192.0.2.0/28')
  })

  it('is refused a peer that is wrong, also with disableMP, and one in the old version', async () => {
    const bad = { peerAddress: '192.0.2.1', holdTime: '1s' }
    for (const text of [
      peer('tor', bad),
      peer('tor', { ...bad, disableMP: true }),
      object('v1beta1', 'BGPPeer', 'tor', { myASN: 1, peerASN: 2, ...bad }),
    ]) {
      const { code, err } = await apply(text)
      expect(code).toBe(1)
      expect(err).toContain('admission webhook "bgppeersvalidationwebhook.metallb.io" denied the request')
      expect(err).toContain('BGPPeer "tor" spec.holdTime: 1s is too short')
    }
  })

  it('is warned of what is still missing, and can apply objects in any order', async () => {
    const text = peer('tor', { peerAddress: '192.0.2.1', bfdProfile: 'fast' })
    const { code, err } = await apply(text)
    expect(code).toBe(0)
    expect(err).toContain('Warning: BGPPeer "tor" spec.bfdProfile: there is no BFDProfile "fast"')
    expect(await apply(object('v1beta1', 'BFDProfile', 'fast', {}))).toMatchObject({ code: 0, err: '' })
  })

  it('cannot delete a BFD profile that a peer uses, and then can', async () => {
    const profile = object('v1beta1', 'BFDProfile', 'fast', {})
    expect(
      (await apply(`${profile}${peer('tor', { peerAddress: '192.0.2.1', bfdProfile: 'fast' })}`)).code,
    ).toBe(0)
    const { code, err } = await kubectl.run(['delete', 'bfdprofile', 'fast'])
    expect(code).toBe(1)
    expect(err).toContain('BGPPeer "tor" spec.bfdProfile: uses BFDProfile "fast"')
    await kubectl.must(['delete', 'bgppeer', 'tor'])
    await kubectl.must(['delete', 'bfdprofile', 'fast'])
  })

  it('is refused objects in other namespaces', async () => {
    const { code, err } = await apply(pool('first', '192.0.2.0/24'), '--namespace=default')
    expect(code).toBe(1)
    expect(err).toContain(
      `IPAddressPool "first" metadata.namespace: must be created in the namespace ${namespace}`,
    )
  })

  it('gets the same answer to a dry run, which changes nothing', async () => {
    const secret = async (): Promise<Json> =>
      (await cluster.api.get(`/api/v1/namespaces/${namespace}/secrets/metallb-webhook-cert`)).metadata
    const before = await secret()
    expect((await apply(pool('first', '192.0.2.0/24'), '--dry-run=server')).code).toBe(0)
    expect((await apply(pool('first', 'nonsense'), '--dry-run=server')).code).toBe(1)
    expect(await kubectl.must(['get', 'ipaddresspools', '-o', 'name'])).toBe('')
    expect(await secret()).toEqual(before)
  })

  it('loses nothing by reading and writing peers in the old version', async () => {
    const spec = {
      myASN: 64512,
      dynamicASN: 'external',
      interface: 'eth1',
      holdTime: '0s',
      connectTime: '5s',
      passwordSecret: { name: 'key' },
      enableGracefulRestart: true,
      vrf: 'red',
      dualStackAddressFamily: true,
      nodeSelectors: [{ matchExpressions: [{ key: 'rack', operator: 'Exists' }] }],
    }
    expect((await apply(object('v1beta2', 'BGPPeer', 'tor', spec))).code).toBe(0)
    const before = JSON.parse(await kubectl.must(['get', 'bgppeers.v1beta2.metallb.io', 'tor', '-o', 'json']))
    const old = JSON.parse(await kubectl.must(['get', 'bgppeers.v1beta1.metallb.io', 'tor', '-o', 'json']))
    expect(old.apiVersion).toBe('metallb.io/v1beta1')
    expect(old.spec).toMatchObject({ myASN: 64512, peerASN: 0, peerAddress: '' })
    old.metadata.labels = { touched: 'yes' }
    await kubectl.must(['replace', '-f', '-'], JSON.stringify(old))
    const after = JSON.parse(await kubectl.must(['get', 'bgppeers.v1beta2.metallb.io', 'tor', '-o', 'json']))
    expect(after.spec).toEqual(before.spec)
    expect(after.metadata.labels).toEqual({ touched: 'yes' })
  })

  it('applies a peer in the old version, whose zeros mean nothing', async () => {
    const spec = {
      myASN: 64512,
      peerASN: 64513,
      peerAddress: '192.0.2.1',
      holdTime: '0s',
      keepaliveTime: '0s',
    }
    expect((await apply(object('v1beta1', 'BGPPeer', 'old', spec))).code).toBe(0)
    const { spec: made } = JSON.parse(await kubectl.must(['get', 'bgppeer', 'old', '-o', 'json']))
    expect(made).not.toHaveProperty('holdTime')
    expect(made).not.toHaveProperty('keepaliveTime')
  })

  it('must wait for a webhook that is away before it changes anything, but not before it deletes', async () => {
    expect((await apply(pool('first', '192.0.2.0/24'))).code).toBe(0)
    expect((await apply(object('v1beta1', 'BFDProfile', 'fast', {}))).code).toBe(0)
    const path = `${configurations}/metallb-webhook-configuration`
    const { webhooks } = await cluster.api.get(path)
    const gone = webhooks.map((one: Json) => ({
      ...one,
      clientConfig: { ...one.clientConfig, url: one.clientConfig.url.replace(/:\d+/, ':1') },
    }))
    await cluster.api.patch(path, 'merge', { webhooks: gone })
    const { err } = await eventually(
      () => apply(pool('second', '198.51.100.0/24')),
      ({ code }) => code === 1,
    )
    expect(err).toContain('failed calling webhook "ipaddresspoolvalidationwebhook.metallb.io"')
    await kubectl.must(['delete', 'ipaddresspool/first', 'bfdprofile/fast'])
    await cluster.api.patch(path, 'merge', { webhooks })
    await eventually(
      () => apply(pool('second', '198.51.100.0/24')),
      ({ code }) => code === 0,
    )
  })
})
