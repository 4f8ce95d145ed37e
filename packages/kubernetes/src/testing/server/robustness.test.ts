import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KubeApiServer } from './server.ts'

const crds = fileURLToPath(new URL('../../../../../deploy/crds/', import.meta.url))

let server: KubeApiServer
beforeAll(async () => {
  server = await KubeApiServer.start()
  for (const name of readdirSync(crds).filter(one => one.endsWith('.yaml')))
    await server.store.apply(readFileSync(`${crds}${name}`, 'utf8'))
})
afterAll(() => server.stop())

const paths = [
  ['/api/v1/namespaces/default/services', 'v1', 'Service'],
  ['/api/v1/namespaces/default/secrets', 'v1', 'Secret'],
  ['/api/v1/namespaces/default/pods', 'v1', 'Pod'],
  ['/api/v1/namespaces/default/events', 'v1', 'Event'],
  ['/api/v1/nodes', 'v1', 'Node'],
  ['/apis/apps/v1/namespaces/default/deployments', 'apps/v1', 'Deployment'],
  ['/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', 'discovery.k8s.io/v1', 'EndpointSlice'],
  ['/apis/coordination.k8s.io/v1/namespaces/default/leases', 'coordination.k8s.io/v1', 'Lease'],
  ['/apis/rbac.authorization.k8s.io/v1/clusterroles', 'rbac.authorization.k8s.io/v1', 'ClusterRole'],
  ['/apis/networking.k8s.io/v1/namespaces/default/networkpolicies', 'networking.k8s.io/v1', 'NetworkPolicy'],
  ['/apis/metallb.io/v1beta1/namespaces/default/ipaddresspools', 'metallb.io/v1beta1', 'IPAddressPool'],
  ['/apis/metallb.io/v1beta2/namespaces/default/bgppeers', 'metallb.io/v1beta2', 'BGPPeer'],
  [
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
    'apiextensions.k8s.io/v1',
    'CustomResourceDefinition',
  ],
  [
    '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
    'admissionregistration.k8s.io/v1',
    'ValidatingWebhookConfiguration',
  ],
  [
    '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    'authorization.k8s.io/v1',
    'SelfSubjectAccessReview',
  ],
] as const

const words = [
  'name',
  'namespace',
  'labels',
  'finalizers',
  'ports',
  'port',
  'type',
  'clusterIP',
  'clusterIPs',
  'selector',
]
const more = [
  'template',
  'spec',
  'rules',
  'group',
  'names',
  'versions',
  'schema',
  'openAPIV3Schema',
  'properties',
  'items',
]
const last = [
  'addresses',
  'endpoints',
  'webhooks',
  'metadata',
  'containers',
  'data',
  'stringData',
  'a',
  'plural',
  'kind',
  'constructor',
  '__proto__',
]
const { value } = fc.letrec(tie => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<unknown>(
      null,
      true,
      0,
      -1,
      1.5,
      80,
      2 ** 40,
      '',
      'a',
      'object',
      'array',
      'TCP',
      'LoadBalancer',
      '10.96.0.9',
    ),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...words, ...more, ...last), tie('value'), { maxKeys: 4 }),
  ),
}))

async function ask(
  method: string,
  path: string,
  body: unknown,
  type = 'application/json',
): Promise<[number, string]> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: { 'content-type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return [response.status, await response.text()]
}

const sane = ([code, text]: [number, string]): void => {
  // A real API server calls these its own fault.
  const its = ['Too large resource version', 'resourceVersion: Invalid value']
  expect(code < 500 || its.some(one => text.includes(one)), `${code} ${text}`).toBe(true)
  if (code >= 400 && text !== '404 page not found\n')
    expect(JSON.parse(text)).toMatchObject({ kind: 'Status', code })
}

describe('the server', () => {
  it('refuses objects that make no sense, and never breaks on them', async () => {
    let named = 0
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...paths),
        value,
        value,
        value,
        async ([path, apiVersion, kind], metadata, spec, rest) => {
          named++
          const extra =
            typeof rest === 'object' && rest !== null && !Array.isArray(rest) ? rest : { data: rest }
          const body = { ...extra, apiVersion, kind, metadata, spec }
          sane(await ask('POST', path, body))
          sane(await ask('POST', path, { ...body, metadata: { name: `n${named}` } }))
        },
      ),
      { numRuns: 300 },
    )
  })

  it('refuses patches that make no sense, and never breaks on them', async () => {
    await server.store.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', labels: { a: 'b' } },
      spec: { ports: [{ port: 80 }] },
    })
    const pointer = fc.constantFrom(
      '',
      '/',
      '/spec',
      '/spec/ports/0',
      '/spec/ports/-',
      '/spec/ports/9',
      '/metadata/labels',
      '/metadata/name',
      'x',
    )
    const operation = fc.record({
      op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'other'),
      path: pointer,
      from: pointer,
      value,
    })
    const merge = fc.record({ metadata: value, spec: value, status: value }, { requiredKeys: [] })
    const patch = fc.oneof(
      fc.tuple(
        fc.constant('application/json-patch+json'),
        fc.oneof(value, fc.array(operation, { maxLength: 4 })),
      ),
      fc.tuple(
        fc.constantFrom('application/merge-patch+json', 'application/strategic-merge-patch+json'),
        fc.oneof(value, merge),
      ),
      fc.tuple(fc.constant('application/apply-patch+yaml'), fc.oneof(value, merge)),
    )
    const sub = fc.constantFrom('', '/status')
    await fc.assert(
      fc.asyncProperty(patch, sub, async ([type, body], subresource) => {
        const path = `/api/v1/namespaces/default/services/web${subresource}?fieldManager=fuzz&force=true`
        const whole =
          type.includes('apply') && typeof body === 'object' && body !== null
            ? { apiVersion: 'v1', kind: 'Service', ...body }
            : body
        sane(await ask('PATCH', path, whole, type))
      }),
      { numRuns: 300 },
    )
  })

  it('refuses deletions that make no sense, and never breaks on them', async () => {
    const field = fc.constantFrom(
      'gracePeriodSeconds',
      'propagationPolicy',
      'preconditions',
      'orphanDependents',
      'dryRun',
      'uid',
    )
    await fc.assert(
      fc.asyncProperty(fc.oneof(value, fc.dictionary(field, value)), async options => {
        const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'doomed' } }
        const containers = [{ name: 'a', image: 'a' }]
        await server.store.apply([{ ...pod, spec: { nodeName: 'a', containers } }])
        sane(await ask('DELETE', '/api/v1/namespaces/default/pods/doomed', options))
        await server.store.delete(
          { apiVersion: 'v1', kind: 'Pod', name: 'doomed' },
          { gracePeriodSeconds: 0 },
        )
      }),
      { numRuns: 300 },
    )
  })

  it('answers any path and any query', async () => {
    const part = fc.oneof(
      fc.constantFrom(
        'api',
        'apis',
        'v1',
        'namespaces',
        'default',
        'services',
        'web',
        'status',
        'metallb.io',
        'v1beta1',
        'openapi',
        'v3',
        '%',
        '..',
      ),
      fc.string({ maxLength: 5 }),
    )
    const key = fc.constantFrom(
      'limit',
      'continue',
      'resourceVersion',
      'resourceVersionMatch',
      'labelSelector',
      'fieldSelector',
      'dryRun',
      'fieldValidation',
      'includeObject',
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(part, { maxLength: 7 }),
        fc.dictionary(key, fc.string({ maxLength: 8 })),
        async (parts, query) => {
          const path = `/${parts.map(one => (one === '%' ? one : encodeURIComponent(one))).join('/')}`
          const response = await fetch(`${server.url}${path}?${new URLSearchParams(query)}`)
          const text = await response.text()
          sane([response.status, text])
        },
      ),
      { numRuns: 300 },
    )
  })

  it('refuses what is not JSON, or too much of it', async () => {
    const [path] = paths[0]
    sane(await ask('POST', path, '{'))
    sane(await ask('POST', path, '[]'))
    sane(await ask('POST', path, 'null'))
    expect((await ask('POST', path, 'x', 'text/plain'))[0]).toBe(415)
    expect((await ask('POST', path, `"${'x'.repeat(4 * 1024 * 1024)}"`))[0]).toBe(413)
    expect((await ask('OPTIONS', path, undefined))[0]).toBe(405)
  })
})
