import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Json } from './support/api.ts'
import { type Cluster, startCluster } from './support/cluster.ts'

let cluster: Cluster
let namespace: string
const inNamespace = (group: string, plural: string): string =>
  `${group === '' ? '/api/v1' : `/apis/${group}/v1`}/namespaces/${namespace}/${plural}`

beforeAll(async () => {
  cluster = await startCluster()
  namespace = await cluster.namespace()
})
afterAll(() => cluster[Symbol.asyncDispose]())

describe('a Lease', () => {
  it('keeps its times to the microsecond, and takes none that are said less exactly', async () => {
    const leases = inNamespace('coordination.k8s.io', 'leases')
    const renewTime = '2026-03-01T12:00:00.123456Z'
    const lease = (acquireTime: string): Json => ({
      metadata: { name: 'leader' },
      spec: { holderIdentity: 'a', leaseDurationSeconds: 15, renewTime, acquireTime },
    })
    const { code, body } = await cluster.api.ask('POST', leases, { body: lease('2026-03-01T12:00:00Z') })
    expect([code, body.reason]).toEqual([400, 'BadRequest'])
    const made = await cluster.api.post(leases, lease('2026-03-01T14:00:00.000000+02:00'))
    expect(made.spec).toMatchObject({ renewTime, acquireTime: '2026-03-01T12:00:00.000000Z' })
  })

  it('goes to one of two who want it at the same moment', async () => {
    const leases = inNamespace('coordination.k8s.io', 'leases')
    const free = await cluster.api.post(leases, { metadata: { name: 'contended' }, spec: {} })
    const take = (holderIdentity: string) =>
      cluster.api.ask('PUT', `${leases}/contended`, { body: { ...free, spec: { holderIdentity } } })
    const codes = (await Promise.all([take('a'), take('b')])).map(answer => answer.code)
    expect(codes.toSorted()).toEqual([200, 409])
  })
})

describe('an event', () => {
  it('is the same in both of its groups', async () => {
    const regarding = { kind: 'Service', apiVersion: 'v1', name: 'web', namespace }
    await cluster.api.post(inNamespace('events.k8s.io', 'events'), {
      metadata: { name: 'web.1' },
      eventTime: '2026-03-01T12:00:00.000001Z',
      reportingController: 'carillon',
      reportingInstance: 'carillon-1',
      action: 'Announce',
      reason: 'nodeAssigned',
      type: 'Normal',
      note: 'announced from node "a"',
      regarding,
    })
    const core = await cluster.api.get(`${inNamespace('', 'events')}/web.1`)
    expect(core).toMatchObject({
      apiVersion: 'v1',
      involvedObject: regarding,
      message: 'announced from node "a"',
      reportingComponent: 'carillon',
      eventTime: '2026-03-01T12:00:00.000001Z',
    })
    const { items } = await cluster.api.get(
      `${inNamespace('', 'events')}?fieldSelector=involvedObject.name%3Dweb,reason%3DnodeAssigned`,
    )
    expect(items).toHaveLength(1)
    const changed = await cluster.api.patch(`${inNamespace('', 'events')}/web.1`, 'merge', { count: 2 })
    expect(changed.count).toBe(2)
    const again = await cluster.api.get(`${inNamespace('events.k8s.io', 'events')}/web.1`)
    expect(again).toMatchObject({ regarding, note: core.message, deprecatedCount: 2 })
  })
})

describe('an event about something in another namespace', () => {
  it('is refused', async () => {
    for (const about of ['elsewhere', undefined]) {
      const { code, body } = await cluster.api.ask('POST', inNamespace('', 'events'), {
        body: { metadata: { name: 'lost' }, involvedObject: { kind: 'Node', name: 'a', namespace: about } },
      })
      expect([code, body.details?.causes[0].field]).toEqual([422, 'involvedObject.namespace'])
    }
  })
})

describe('an EndpointSlice', () => {
  it('shows its lists also when nothing is in them', async context => {
    cluster.since(21, context)
    const slices = inNamespace('discovery.k8s.io', 'endpointslices')
    await cluster.api.post(slices, { metadata: { name: 'empty' }, addressType: 'IPv4', endpoints: [] })
    const { endpoints, ports } = await cluster.api.get(`${slices}/empty`)
    expect([endpoints ?? null, ports ?? null]).toEqual([null, null])
    const { code } = await cluster.api.ask('POST', slices, {
      body: { metadata: { name: 'bad' }, endpoints: [] },
    })
    expect(code).toBe(422)
  })
})

describe('a Secret', () => {
  it('takes text, and keeps it as base64', async () => {
    const secrets = inNamespace('', 'secrets')
    const made = await cluster.api.post(secrets, {
      metadata: { name: 'key' },
      data: { a: 'MQ==' },
      stringData: { b: '2' },
    })
    expect(made).toMatchObject({ type: 'Opaque', data: { a: 'MQ==', b: 'Mg==' } })
    expect(made).not.toHaveProperty('stringData')
    expect(
      (await cluster.api.ask('POST', secrets, { body: { metadata: { name: 'bad' }, data: { a: '%' } } }))
        .code,
    ).toBe(400)
  })
})

describe('a Node', () => {
  it('has a status of its own, with its labels', async () => {
    const nodes = '/api/v1/nodes'
    const name = `node-${process.pid}`
    await cluster.api.post(nodes, { metadata: { name, labels: { a: '1' } } })
    const changed = await cluster.api.patch(`${nodes}/${name}/status`, 'strategic', {
      metadata: { labels: { b: '2' } },
      spec: { unschedulable: true },
      status: { conditions: [{ type: 'Ready', status: 'True' }], capacity: { cpu: '4' } },
    })
    expect(changed.metadata.labels).toMatchObject({ a: '1', b: '2' })
    expect(changed.spec?.unschedulable).toBeUndefined()
    const both = await cluster.api.patch(`${nodes}/${name}/status`, 'strategic', {
      status: { conditions: [{ type: 'NetworkUnavailable', status: 'False' }] },
    })
    expect(both.status.conditions.map((one: Json) => one.type).toSorted()).toEqual([
      'NetworkUnavailable',
      'Ready',
    ])
    await cluster.api.delete(`${nodes}/${name}`)
  })
})

describe('a DaemonSet and a Deployment', () => {
  const template = {
    metadata: { labels: { app: 'a' } },
    spec: { containers: [{ name: 'a', image: 'example.com/a:1', ports: [{ containerPort: 80 }] }] },
  }

  it('get their defaults, and count what is wanted of them', async () => {
    for (const plural of ['daemonsets', 'deployments']) {
      const path = inNamespace('apps', plural)
      const made = await cluster.api.post(path, {
        metadata: { name: 'a' },
        spec: { selector: { matchLabels: { app: 'a' } }, template },
      })
      expect(made.metadata.generation).toBe(1)
      expect(made.spec.template.spec).toMatchObject({
        restartPolicy: 'Always',
        dnsPolicy: 'ClusterFirst',
        terminationGracePeriodSeconds: 30,
        containers: [{ imagePullPolicy: 'IfNotPresent', ports: [{ containerPort: 80, protocol: 'TCP' }] }],
      })
      const changed = await cluster.api.patch(`${path}/a`, 'strategic', {
        spec: { template: { spec: { containers: [{ name: 'a', env: [{ name: 'X', value: '1' }] }] } } },
      })
      expect(changed.metadata.generation).toBe(2)
      expect(changed.spec.template.spec.containers[0]).toMatchObject({
        image: 'example.com/a:1',
        env: [{ name: 'X', value: '1' }],
      })
      const { code } = await cluster.api.ask('POST', path, {
        body: { metadata: { name: 'b' }, spec: { selector: { matchLabels: { app: 'b' } }, template } },
      })
      expect(code).toBe(422)
    }
  })
})

describe('a NetworkPolicy', () => {
  it('applies to what comes in, unless it says otherwise', async () => {
    const made = await cluster.api.post(inNamespace('networking.k8s.io', 'networkpolicies'), {
      metadata: { name: 'a' },
      spec: { podSelector: {}, ingress: [{ ports: [{ port: 7946 }] }] },
    })
    expect(made.spec).toMatchObject({
      policyTypes: ['Ingress'],
      ingress: [{ ports: [{ port: 7946, protocol: 'TCP' }] }],
    })
  })
})

describe('a Namespace', () => {
  it('is labelled with its name, active, and held until it is empty', async () => {
    const found = await cluster.api.get(`/api/v1/namespaces/${namespace}`)
    expect(found).toMatchObject({
      metadata: { labels: { 'kubernetes.io/metadata.name': namespace } },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    })
  })

  it('is there for the system from the start, as is the Service of the API server', async () => {
    const { items } = await cluster.api.get('/api/v1/namespaces')
    expect(items.map((item: Json) => item.metadata.name)).toEqual(
      expect.arrayContaining(['default', 'kube-node-lease', 'kube-public', 'kube-system']),
    )
    const service = await cluster.api.get('/api/v1/namespaces/default/services/kubernetes')
    expect(service.spec).toMatchObject({ type: 'ClusterIP', clusterIP: '10.96.0.1' })
  })
})

describe('discovery', () => {
  it('names every group and resource that we rely on', async context => {
    cluster.since(21, context)
    const wanted: Readonly<Record<string, readonly string[]>> = {
      '/api/v1': [
        'services',
        'services/status',
        'nodes',
        'namespaces',
        'secrets',
        'configmaps',
        'pods',
        'events',
        'endpoints',
      ],
      '/apis/discovery.k8s.io/v1': ['endpointslices'],
      '/apis/coordination.k8s.io/v1': ['leases'],
      '/apis/apps/v1': ['deployments', 'daemonsets'],
      '/apis/events.k8s.io/v1': ['events'],
      '/apis/apiextensions.k8s.io/v1': ['customresourcedefinitions'],
      '/apis/admissionregistration.k8s.io/v1': [
        'validatingwebhookconfigurations',
        'mutatingwebhookconfigurations',
      ],
      '/apis/rbac.authorization.k8s.io/v1': ['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'],
      '/apis/networking.k8s.io/v1': ['networkpolicies'],
      '/apis/policy/v1': ['poddisruptionbudgets'],
      '/apis/authorization.k8s.io/v1': ['subjectaccessreviews', 'selfsubjectaccessreviews'],
      '/apis/authentication.k8s.io/v1': ['tokenreviews'],
    }
    expect((await cluster.api.get('/api')).versions).toEqual(['v1'])
    const { groups } = await cluster.api.get('/apis')
    for (const [path, names] of Object.entries(wanted)) {
      const list = await cluster.api.get(path)
      expect(list.resources.map((one: Json) => one.name)).toEqual(expect.arrayContaining([...names]))
      const [, , group] = path.split('/')
      if (path.startsWith('/apis')) expect(groups.map((one: Json) => one.name)).toContain(group)
    }
    expect((await cluster.api.get('/version')).major).toBe('1')
    for (const path of ['/apis/example.org', '/apis/example.org/v1', '/apis/example.org/v1/things'])
      expect(await cluster.api.ask('GET', path)).toMatchObject({ code: 404, text: '404 page not found\n' })
  })
})

describe('a table', () => {
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json'

  it('of Services says what kubectl shows', async () => {
    const services = inNamespace('', 'services')
    await cluster.api.post(services, {
      metadata: { name: 'web' },
      spec: { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port: 80 }] },
    })
    const shown = async (): Promise<Json> =>
      (await cluster.api.ask('GET', `${services}/web`, { accept })).body
    const pending = await shown()
    expect(pending.columnDefinitions.map((one: Json) => one.name)).toEqual([
      'Name',
      'Type',
      'Cluster-IP',
      'External-IP',
      'Port(s)',
      'Age',
      'Selector',
    ])
    const [name, type, , external, ports, , selector] = pending.rows[0].cells
    expect([name, type, external, selector]).toEqual(['web', 'LoadBalancer', '<pending>', 'app=web'])
    expect(ports).toMatch(/^80:\d+\/TCP$/)
    await cluster.api.patch(`${services}/web/status`, 'merge', {
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.2' }, { ip: '192.0.2.1' }] } },
    })
    expect((await shown()).rows[0].cells[3]).toBe('192.0.2.1,192.0.2.2')
  })

  it('can be watched, row by row', async () => {
    const maps = inNamespace('', 'configmaps')
    const watch = await cluster.api.watch(`${maps}?fieldSelector=metadata.name%3Drow`, { accept })
    await cluster.api.post(maps, { metadata: { name: 'row' }, data: { a: '1' } })
    const event = await watch.next()
    expect(event).toMatchObject({ type: 'ADDED', object: { kind: 'Table' } })
    expect(event?.object.rows[0].cells.slice(0, 2)).toEqual(['row', 1])
    watch.close()
  })

  it('gives way to metadata alone where that is all that is wanted', async () => {
    const as = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io'
    const { body } = await cluster.api.ask('GET', inNamespace('', 'configmaps'), { accept: as })
    expect(body).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' })
    expect(body.items[0]).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { namespace } })
    expect(body.items[0]).not.toHaveProperty('data')
  })
})
