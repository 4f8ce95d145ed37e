import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Json } from './support/api.ts'
import { type Cluster, startCluster } from './support/cluster.ts'

let cluster: Cluster
let services: string

beforeAll(async () => {
  cluster = await startCluster()
  services = `/api/v1/namespaces/${await cluster.namespace()}/services`
})
afterAll(() => cluster[Symbol.asyncDispose]())

const service = (name: string, spec: object): Json => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port: 80 }], ...spec },
})

const made = (name: string, spec: object = {}): Promise<Json> =>
  cluster.api.post(services, service(name, spec))

/** What a request about a Service is refused for: the fields, by cause. */
async function refused(method: string, path: string, body: unknown): Promise<readonly string[]> {
  const { code, body: answer } = await cluster.api.ask(method, path, { body })
  expect([code, answer.reason, answer.details.kind]).toEqual([422, 'Invalid', 'Service'])
  return answer.details.causes.map((cause: Json) => `${cause.field}: ${cause.message}`)
}

describe('a new Service', () => {
  it('gets an address of the cluster and what else it does not say', async context => {
    cluster.since(22, context)
    const { spec, status } = await made('plain')
    expect(spec).toEqual({
      type: 'ClusterIP',
      selector: { app: 'plain' },
      clusterIP: expect.stringMatching(/^10\.96\.\d+\.\d+$/),
      clusterIPs: [spec.clusterIP],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      sessionAffinity: 'None',
    })
    expect(status).toEqual({ loadBalancer: {} })
  })

  it('of type LoadBalancer gets node ports as well, unless it wants none', async () => {
    const { spec } = await made('balanced', { type: 'LoadBalancer' })
    expect(spec).toMatchObject({ allocateLoadBalancerNodePorts: true, externalTrafficPolicy: 'Cluster' })
    expect(spec.ports[0].nodePort).toBeGreaterThanOrEqual(30000)
    expect(spec.ports[0].nodePort).toBeLessThanOrEqual(32767)
    const without = await made('portless', { type: 'LoadBalancer', allocateLoadBalancerNodePorts: false })
    expect(without.spec.ports[0]).not.toHaveProperty('nodePort')
  })

  it('with local traffic gets a port for health checks', async () => {
    const { spec } = await made('local', { type: 'LoadBalancer', externalTrafficPolicy: 'Local' })
    expect(spec.healthCheckNodePort).toBeGreaterThanOrEqual(30000)
  })

  it('can be headless, or only a name for something outside', async () => {
    const headless = await made('headless', { clusterIP: 'None' })
    expect(headless.spec).toMatchObject({ clusterIP: 'None', clusterIPs: ['None'], ipFamilies: ['IPv4'] })
    const outside = await made('outside', {
      type: 'ExternalName',
      externalName: 'example.com',
      ports: undefined,
    })
    expect(outside.spec).not.toHaveProperty('clusterIP')
    expect(outside.spec).not.toHaveProperty('ipFamilies')
  })

  it('that prefers two families gets one where the cluster has one', async () => {
    const { spec } = await made('prefers', { ipFamilyPolicy: 'PreferDualStack' })
    expect([spec.ipFamilies, spec.clusterIPs.length]).toEqual([['IPv4'], 1])
    expect(
      await refused('POST', services, service('requires', { ipFamilyPolicy: 'RequireDualStack' })),
    ).toEqual([
      expect.stringMatching(
        /^spec\.ipFamilyPolicy: Invalid value: "RequireDualStack": .* not configured for dual.stack services/,
      ),
    ])
    expect(await refused('POST', services, service('six', { ipFamilies: ['IPv6'] }))).toEqual([
      expect.stringMatching(/^spec\.ipFamilies\[0\]: Invalid value: .* not configured on (this )?cluster/),
    ])
  })

  it('cannot have an address or a port that another one has', async () => {
    const { spec } = await made('first', { type: 'NodePort' })
    const { clusterIP } = spec
    const { nodePort } = spec.ports[0]
    expect(await refused('POST', services, service('second', { clusterIP }))).toEqual([
      expect.stringContaining('provided IP is already allocated'),
    ])
    const ports = [{ port: 80, nodePort }]
    expect(await refused('POST', services, service('third', { type: 'NodePort', ports }))).toEqual([
      expect.stringContaining('provided port is already allocated'),
    ])
    await cluster.api.delete(`${services}/first`)
    expect((await made('fourth', { type: 'NodePort', clusterIP, ports })).spec).toMatchObject({
      clusterIP,
      ports,
    })
  })

  it.each([
    ['metadata.name', service('1st', {})],
    ['spec.ports', service('bad', { ports: [] })],
    ['spec.ports[0].port', service('bad', { ports: [{ port: 0 }] })],
    ['spec.ports[0].protocol', service('bad', { ports: [{ port: 1, protocol: 'ICMP' }] })],
    ['spec.ports[0].name', service('bad', { ports: [{ port: 1 }, { port: 2, name: 'b' }] })],
    [
      'spec.ports[1].name',
      service('bad', {
        ports: [
          { port: 1, name: 'a' },
          { port: 2, name: 'a' },
        ],
      }),
    ],
    ['spec.type', service('bad', { type: 'Magic' })],
    ['spec.externalTrafficPolicy', service('bad', { externalTrafficPolicy: 'Local' })],
    ['spec.externalTrafficPolicy', service('bad', { type: 'NodePort', externalTrafficPolicy: 'Some' })],
    ['spec.clusterIPs[0]', service('bad', { clusterIP: 'somewhere' })],
  ])('that is wrong at %s is refused there', async (field, body) => {
    expect((await refused('POST', services, body)).map(cause => cause.split(': ')[0])).toContain(field)
  })
})

describe('a Service', () => {
  it('has a class only as long as it is of type LoadBalancer', async context => {
    cluster.since(22, context)
    const classed = service('classed', { loadBalancerClass: 'example.com/lb' })
    expect((await refused('POST', services, classed)).map(cause => cause.split(': ')[0])).toEqual([
      'spec.loadBalancerClass',
    ])
  })

  it('keeps its addresses and ports when it is replaced by somebody who does not know them', async context => {
    cluster.since(23, context)
    const { spec } = await made('kept', { type: 'LoadBalancer' })
    const again = await cluster.api.put(`${services}/kept`, service('kept', { type: 'LoadBalancer' }))
    expect(again.spec.clusterIP).toBe(spec.clusterIP)
    expect(again.spec.ports).toEqual(spec.ports)
  })

  it('cannot have another address or another class', async context => {
    cluster.since(22, context)
    const balanced = await made('immutable', { type: 'LoadBalancer', loadBalancerClass: 'example.com/a' })
    const other = (spec: object): Json => ({ ...balanced, spec: { ...balanced.spec, ...spec } })
    expect(
      await refused(
        'PUT',
        `${services}/immutable`,
        other({ clusterIP: '10.96.200.200', clusterIPs: ['10.96.200.200'] }),
      ),
    ).toContainEqual(
      expect.stringMatching(/^spec\.clusterIPs\[0\]: Invalid value: .*: may not change once set$/),
    )
    expect(
      await refused('PUT', `${services}/immutable`, other({ loadBalancerClass: 'example.com/b' })),
    ).toEqual(['spec.loadBalancerClass: Invalid value: "example.com/b": may not change once set'])
  })

  it('loses what belongs to a type when it gets another', async context => {
    cluster.since(23, context)
    const balanced = await made('typed', { type: 'LoadBalancer', loadBalancerClass: 'example.com/a' })
    await cluster.api.put(`${services}/typed/status`, {
      ...balanced,
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } },
    })
    const plain = await cluster.api.patch(`${services}/typed`, 'merge', { spec: { type: 'ClusterIP' } })
    expect(plain.status).toEqual({ loadBalancer: {} })
    expect(plain.spec.clusterIP).toBe(balanced.spec.clusterIP)
    for (const field of ['loadBalancerClass', 'allocateLoadBalancerNodePorts', 'externalTrafficPolicy'])
      expect(plain.spec).not.toHaveProperty(field)
    expect(plain.spec.ports[0]).not.toHaveProperty('nodePort')
  })
})

describe('the status of a Service', () => {
  it('is written by its subresource alone, and says that addresses are virtual ones', async context => {
    cluster.since(30, context)
    const balanced = await made('status', { type: 'LoadBalancer' })
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.7' }, { hostname: 'example.com' }] } }
    const ignored = await cluster.api.put(`${services}/status`, { ...balanced, status })
    expect(ignored.status).toEqual({ loadBalancer: {} })
    const written = await cluster.api.put(`${services}/status/status`, {
      ...ignored,
      metadata: { ...ignored.metadata, annotations: { carried: 'along' } },
      spec: { ...ignored.spec, type: 'ClusterIP' },
      status,
    })
    expect(written.status.loadBalancer.ingress).toEqual([
      { ip: '192.0.2.7', ipMode: 'VIP' },
      { hostname: 'example.com' },
    ])
    expect(written.spec.type).toBe('LoadBalancer')
    expect(written.metadata.annotations).toEqual({ carried: 'along' })
  })

  it('has no addresses unless the type is LoadBalancer', async context => {
    cluster.since(29, context)
    const plain = await made('unbalanced')
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.7' }] } }
    expect(await refused('PUT', `${services}/unbalanced/status`, { ...plain, status })).toEqual([
      'status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is "LoadBalancer"',
    ])
  })

  it('holds addresses, and modes that are known', async context => {
    cluster.since(30, context)
    const balanced = await made('modes', { type: 'LoadBalancer' })
    for (const ingress of [
      { ip: 'somewhere' },
      { ip: '192.0.2.7', ipMode: 'Magic' },
      { ipMode: 'VIP', hostname: 'a' },
    ])
      await refused('PUT', `${services}/modes/status`, {
        ...balanced,
        status: { loadBalancer: { ingress: [ingress] } },
      })
  })
})
