import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Api } from './support/api.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { eventually } from './support/eventually.ts'

const rbac = '/apis/rbac.authorization.k8s.io/v1'
let cluster: Cluster
let namespace: string
let services: string

beforeAll(async () => {
  cluster = await startCluster({ tls: true, authorize: true })
  namespace = await cluster.namespace()
  services = `/api/v1/namespaces/${namespace}/services`
})
afterAll(() => cluster[Symbol.asyncDispose]())

const reviews = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
const may = async (resourceAttributes: object): Promise<boolean> =>
  (await cluster.limited.post(reviews, { spec: { resourceAttributes } })).status.allowed

describe('a client', () => {
  it('that nobody knows is turned away', async () => {
    const stranger = new Api({ ...cluster.api.access, token: 'unheard-of' })
    const { code, body } = await stranger.ask('GET', services)
    expect([code, body.reason, body.message]).toEqual([401, 'Unauthorized', 'Unauthorized'])
  })

  it('that says nothing about itself is nobody in particular', async () => {
    const { token: _, ...access } = cluster.api.access
    const { code, body } = await new Api(access).ask('GET', services)
    expect(code).toBe(403)
    expect(body.message).toContain('User "system:anonymous" cannot list resource "services"')
  })

  it('without a role is told what it lacks: verb, resource, group and where', async () => {
    const list = await cluster.limited.ask('GET', services)
    expect(list.code).toBe(403)
    expect(list.body).toMatchObject({
      reason: 'Forbidden',
      message: `services is forbidden: User "limited" cannot list resource "services" in API group "" in the namespace "${namespace}"`,
      details: { kind: 'services' },
    })
    const patch = await cluster.limited.ask('PATCH', `${services}/web/status`, {
      body: {},
      type: 'application/merge-patch+json',
    })
    expect(patch.body.message).toBe(
      `services "web" is forbidden: User "limited" cannot patch resource "services/status" in API group "" in the namespace "${namespace}"`,
    )
    const watch = await cluster.limited.ask('GET', '/apis/discovery.k8s.io/v1/endpointslices?watch=true')
    expect(watch.body.message).toBe(
      'endpointslices.discovery.k8s.io is forbidden: User "limited" cannot watch resource "endpointslices" in API group "discovery.k8s.io" at the cluster scope',
    )
  })

  it('finds out what there is, and what it may, without a role', async () => {
    expect((await cluster.limited.ask('GET', '/apis')).code).toBe(200)
    expect((await cluster.limited.ask('GET', '/api/v1')).code).toBe(200)
    expect(await may({ verb: 'list', resource: 'services', namespace })).toBe(false)
  })

  it('finds out who it is, without a role', async context => {
    cluster.since(28, context)
    const { status } = await cluster.limited.post('/apis/authentication.k8s.io/v1/selfsubjectreviews', {})
    expect(status.userInfo).toMatchObject({ username: 'limited', groups: ['system:authenticated'] })
  })
})

describe('a role', () => {
  it('in a namespace lets its users do there what it says, and nothing else', async () => {
    await cluster.api.post(`${rbac}/namespaces/${namespace}/roles`, {
      metadata: { name: 'reader' },
      rules: [
        { apiGroups: [''], resources: ['services'], verbs: ['get', 'list'] },
        { apiGroups: [''], resources: ['services/status'], resourceNames: ['web'], verbs: ['patch'] },
      ],
    })
    await cluster.api.post(`${rbac}/namespaces/${namespace}/rolebindings`, {
      metadata: { name: 'reader' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'limited' }],
    })
    await eventually(
      async () => (await cluster.limited.ask('GET', services)).code,
      code => code === 200,
    )
    await cluster.api.post(services, {
      metadata: { name: 'web' },
      spec: { type: 'LoadBalancer', ports: [{ port: 1 }] },
    })
    const status = { status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } }
    await cluster.limited.patch(`${services}/web/status`, 'merge', status)
    const type = 'application/merge-patch+json'
    for (const path of [`${services}/web`, `${services}/other/status`])
      expect((await cluster.limited.ask('PATCH', path, { body: status, type })).code).toBe(403)
    expect((await cluster.limited.ask('GET', '/api/v1/services')).code).toBe(403)
    expect(await may({ verb: 'list', resource: 'services', namespace })).toBe(true)
    expect(await may({ verb: 'list', resource: 'services' })).toBe(false)
    expect(
      await may({ verb: 'patch', resource: 'services', subresource: 'status', name: 'web', namespace }),
    ).toBe(true)
  })

  it('of the cluster lets its users do it everywhere', async () => {
    await cluster.api.post(`${rbac}/clusterroles`, {
      metadata: { name: 'watcher' },
      rules: [{ apiGroups: ['*'], resources: ['nodes', 'namespaces'], verbs: ['*'] }],
    })
    await cluster.api.post(`${rbac}/clusterrolebindings`, {
      metadata: { name: 'watcher' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'watcher' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'limited' }],
    })
    await eventually(
      async () => (await cluster.limited.ask('GET', '/api/v1/nodes')).code,
      code => code === 200,
    )
    expect((await cluster.limited.ask('GET', '/api/v1/secrets')).code).toBe(403)
  })

  it('that somebody else may is asked about by who may ask', async () => {
    const review = (spec: object) =>
      cluster.api.post('/apis/authorization.k8s.io/v1/subjectaccessreviews', { spec })
    const resourceAttributes = { verb: 'delete', resource: 'secrets', namespace: 'kube-system' }
    expect((await review({ user: 'limited', resourceAttributes })).status.allowed).toBe(false)
    const groups = ['system:masters']
    expect((await review({ user: 'somebody', groups, resourceAttributes })).status.allowed).toBe(true)
    const nonResourceAttributes = { path: '/metrics', verb: 'get' }
    expect((await review({ user: 'limited', nonResourceAttributes })).status.allowed).toBe(false)
  })

  it('can be found out from a token', async () => {
    const review = (token: string | undefined) =>
      cluster.api.post('/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token } })
    const known = await review(cluster.limited.access.token)
    expect(known.status).toMatchObject({ authenticated: true, user: { username: 'limited' } })
    expect((await review('unheard-of')).status.authenticated ?? false).toBe(false)
  })
})
