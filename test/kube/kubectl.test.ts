import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { debianKubectl } from '../support/debian-kubectl.ts'
import { missing } from '../support/missing.ts'
import { type Cluster, startCluster } from './support/cluster.ts'
import { eventually } from './support/eventually.ts'
import { Kubectl, printed } from './support/kubectl.ts'

const crds = fileURLToPath(new URL('../../deploy/crds', import.meta.url))

/** What people have: the kubectl of this machine, and Debian's, which is of 2021. */
const clients = [
  ['kubectl', 'kubectl'],
  ['an old kubectl', debianKubectl],
] as const

const service = `
apiVersion: v1
kind: Service
metadata: { name: web, labels: { app: web } }
spec: { type: LoadBalancer, selector: { app: web }, ports: [{ name: http, port: 80, protocol: TCP }] }
`
const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: scaled }
spec:
  selector: { matchLabels: { app: scaled } }
  template:
    metadata: { labels: { app: scaled } }
    spec: { containers: [{ name: any, image: any }] }
`
const pool = `
apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: first }
spec: { addresses: [192.0.2.0/24] }
`

describe.each(clients)('%s', (_, program) => {
  const why = missing(program)
  let cluster: Cluster
  let kubectl: Kubectl
  let services: string

  beforeAll(async () => {
    if (why !== undefined) return
    // kubectl sends credentials over TLS alone.
    cluster = await startCluster({ tls: true, authorize: true })
    const namespace = await cluster.namespace()
    kubectl = new Kubectl(cluster.kubeconfig(), namespace, program)
    services = `/api/v1/namespaces/${namespace}/services`
    // Kubernetes 1.22 does not know the field for rules yet, and kubectl would not send it one.
    await kubectl.must(['apply', '--validate=false', '-f', crds])
    await kubectl.must(['wait', '--for=condition=established', '-f', crds, '--timeout=30s'])
  })
  beforeEach(context => context.skip(why !== undefined, why))
  afterAll(async () => {
    kubectl?.[Symbol.dispose]()
    await cluster?.[Symbol.asyncDispose]()
  })

  it('applies our definitions, and finds nothing to change when it does so again', async context => {
    cluster.since(25, context)
    const lines = (await kubectl.must(['apply', '--validate=false', '-f', crds])).trimEnd().split('\n')
    expect(lines).toHaveLength(readdirSync(crds).filter(name => name.endsWith('.yaml')).length)
    for (const line of lines)
      expect(line).toMatch(/^customresourcedefinition\.apiextensions\.k8s\.io\/\S+ unchanged$/)
  })

  it('prints our resources in their columns', async () => {
    expect(await kubectl.must(['apply', '-f', '-'], pool)).toBe('ipaddresspool.metallb.io/first created\n')
    expect(printed(await kubectl.must(['get', 'ipaddresspools']))).toEqual([
      { NAME: 'first', 'AUTO ASSIGN': 'true', 'AVOID BUGGY IPS': 'false', ADDRESSES: '["192.0.2.0/24"]' },
    ])
    expect(await kubectl.must(['describe', 'ipaddresspool', 'first'])).toContain('192.0.2.0/24')
  })

  it('refuses a resource that does not fit its definition, naming the field', async context => {
    cluster.since(25, context)
    const { code, err } = await kubectl.run(['apply', '-f', '-'], pool.replace('addresses:', 'adresses:'))
    expect(code).toBe(1)
    expect(err).toContain('adresses')
    const wrong = await kubectl.run(
      ['apply', '--validate=false', '-f', '-'],
      pool.replace('[192.0.2.0/24]', '[1]'),
    )
    expect(wrong.err).toContain('spec.addresses[0]')
  })

  it('explains our fields', async () => {
    // A definition is told of in the document a while after it is established.
    const { out } = await eventually(
      () => kubectl.run(['explain', 'ipaddresspools.spec']),
      ({ code }) => code === 0,
    )
    expect(out).toContain('autoAssign')
    expect(out).toContain('<boolean>')
    expect(await kubectl.must(['explain', 'service.spec.ports'])).toContain('targetPort')
  })

  it('makes a Service, changes it by apply, patch and edit, and deletes it', async () => {
    expect(await kubectl.must(['apply', '-f', '-'], service)).toBe('service/web created\n')
    expect(await kubectl.must(['apply', '-f', '-'], service)).toBe('service/web unchanged\n')
    expect(await kubectl.must(['apply', '-f', '-'], service.replace('port: 80', 'port: 81'))).toBe(
      'service/web configured\n',
    )
    const ports = ['get', 'service', 'web', '-o', 'jsonpath={.spec.ports[*].port}']
    expect(await kubectl.must(ports)).toBe('81')
    await kubectl.must(['patch', 'service', 'web', '-p', '{"spec":{"ports":[{"name":"https","port":443}]}}'])
    expect((await kubectl.must(ports)).split(' ').toSorted()).toEqual(['443', '81'])
    await kubectl.must([
      'patch',
      'service',
      'web',
      '--type=json',
      '-p',
      '[{"op":"remove","path":"/spec/ports/1"}]',
    ])
    expect((await kubectl.must(ports)).split(' ')).toHaveLength(1)
    await kubectl.must(['edit', 'service', 'web'], '', {
      KUBE_EDITOR: 'sed -i s/targetPort:.*/targetPort:\\ 1234/',
    })
    expect(await kubectl.must(['get', 'service', 'web', '-o', 'jsonpath={.spec.ports[0].targetPort}'])).toBe(
      '1234',
    )
    await kubectl.must(['label', 'service', 'web', 'team=net'])
    await kubectl.must(['annotate', 'service', 'web', 'example.com/a=b'])
    const text = await kubectl.must(['describe', 'service', 'web'])
    expect(text).toMatch(/Type: +LoadBalancer/)
    expect(text).toMatch(/team=net/)
    expect(await kubectl.must(['delete', 'service', 'web'])).toMatch(/^service "web" deleted/)
    expect((await kubectl.run(['get', 'service', 'web'])).err).toContain('services "web" not found')
  })

  it('scales a Deployment, and not one that somebody else has scaled meanwhile', async () => {
    await kubectl.must(['apply', '-f', '-'], deployment)
    const replicas = ['get', 'deployment', 'scaled', '-o', 'jsonpath={.spec.replicas}']
    expect(await kubectl.must(replicas)).toBe('1')
    const scale = ['scale', 'deployment', 'scaled']
    expect(await kubectl.must([...scale, '--replicas=3'])).toBe('deployment.apps/scaled scaled\n')
    expect(await kubectl.must(replicas)).toBe('3')
    const late = await kubectl.run([...scale, '--current-replicas=1', '--replicas=0'])
    expect(late.err).toMatch(/xpected replicas to be 1, was 3/)
    await kubectl.must([...scale, '--current-replicas=3', '--replicas=0'])
    expect(await kubectl.must(replicas)).toBe('0')
    await kubectl.must(['delete', 'deployment', 'scaled'])
  })

  it('tells what an apply would change, and changes nothing', async () => {
    const same = service.replaceAll('web', 'same')
    await kubectl.must(['apply', '-f', '-'], same)
    expect(await kubectl.run(['diff', '-f', '-'], same)).toMatchObject({ code: 0, out: '' })
    const { code, out } = await kubectl.run(
      ['diff', '-f', '-'],
      same.replace('type: LoadBalancer', 'type: NodePort'),
    )
    expect(code).toBe(1)
    expect(out).toMatch(/^\+ +type: NodePort$/m)
    expect(await kubectl.must(['get', 'service', 'same', '-o', 'jsonpath={.spec.type}'])).toBe('LoadBalancer')
  })

  it('applies on the server, and says whose field is contested', async () => {
    const owned = service.replaceAll('web', 'owned')
    const apply = (manager: string, text: string) =>
      kubectl.run(['apply', '--server-side', `--field-manager=${manager}`, '-f', '-'], text)
    expect((await apply('one', owned)).out).toBe('service/owned serverside-applied\n')
    const contested = await apply('two', owned.replace('type: LoadBalancer', 'type: NodePort'))
    expect(contested.code).toBe(1)
    expect(contested.err).toContain('conflict with "one": .spec.type')
  })

  it('watches the address of a Service arrive', async () => {
    await kubectl.must(['apply', '-f', '-'], service.replaceAll('web', 'watched'))
    const { lines, stop } = kubectl.follow(['get', 'service', 'watched', '-w'])
    const next = async (): Promise<readonly string[]> =>
      String((await lines.next()).value)
        .trim()
        .split(/ {2,}/)
    expect(await next()).toEqual(['NAME', 'TYPE', 'CLUSTER-IP', 'EXTERNAL-IP', 'PORT(S)', 'AGE'])
    expect((await next())[3]).toBe('<pending>')
    await cluster.api.patch(`${services}/watched/status`, 'merge', {
      status: { loadBalancer: { ingress: [{ ip: '192.0.2.9' }] } },
    })
    expect((await next()).slice(0, 4)).toEqual(['watched', 'LoadBalancer', expect.any(String), '192.0.2.9'])
    stop()
  })

  it('lists nodes as operators know them', async () => {
    await cluster.api.post('/api/v1/nodes', {
      metadata: { name: 'node-a', labels: { 'node-role.kubernetes.io/control-plane': '' } },
      spec: {},
    })
    await cluster.api.patch('/api/v1/nodes/node-a/status', 'merge', {
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [{ type: 'InternalIP', address: '10.0.0.1' }],
        nodeInfo: { kubeletVersion: 'v1.34.0' },
      },
    })
    const [node] = printed(await kubectl.must(['get', 'nodes', '-o', 'wide']))
    expect(node).toMatchObject({
      NAME: 'node-a',
      STATUS: 'Ready',
      ROLES: 'control-plane',
      'INTERNAL-IP': '10.0.0.1',
    })
    await kubectl.must(['cordon', 'node-a'])
    expect(printed(await kubectl.must(['get', 'nodes']))[0]?.STATUS).toBe('Ready,SchedulingDisabled')
  })

  it('makes objects from its arguments', async () => {
    await kubectl.must(['create', 'configmap', 'made', '--from-literal=a=1'])
    await kubectl.must(['create', 'secret', 'generic', 'made', '--from-literal=key=secret'])
    await kubectl.must(['create', 'serviceaccount', 'made'])
    expect(await kubectl.must(['get', 'configmap', 'made', '-o', 'jsonpath={.data.a}'])).toBe('1')
    expect(await kubectl.must(['get', 'secret', 'made', '-o', 'jsonpath={.data.key}'])).toBe('c2VjcmV0')
    expect(await kubectl.must(['auth', 'can-i', 'list', 'services'])).toBe('yes\n')
  })

  it('deletes what a file names', async () => {
    await kubectl.must(['apply', '-f', '-'], pool.replace('first', 'last'))
    await kubectl.must(['delete', '-f', '-'], pool.replace('first', 'last'))
    await eventually(
      async () => (await kubectl.run(['get', 'ipaddresspool', 'last'])).err,
      err => err.includes('not found'),
    )
  })
})
