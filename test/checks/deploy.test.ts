import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { arp } from '@carillon/arp'
import { bgp } from '@carillon/bgp'
import { Speaker } from '@carillon/core'
import { FakeClock, MemoryNetwork, RecordingLogger, RecordingMetrics } from '@carillon/core/testing'
import {
  type Client,
  Controller,
  connect,
  ensureMemberlistSecret,
  KubernetesSource,
  LeaderElection,
  type OwnerReference,
  PodPeers,
  resourceTypes,
  SpeakerReporter,
} from '@carillon/kubernetes'
import { KubeApiServer, type NewObject } from '@carillon/kubernetes/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Json } from '../kube/support/api.ts'
import { Hooks } from '../kube/support/hooks.ts'
import { Kubectl } from '../kube/support/kubectl.ts'
import { kustomized, kustomizedText, withComponents } from '../kube/support/kustomize.ts'
import { until } from '../kube/support/story.ts'
import { clusterProgram, noClusterPrograms } from '../support/cluster-programs.ts'
import { debianKubectl } from '../support/debian-kubectl.ts'
import { missing } from '../support/missing.ts'

const namespace = 'metallb-system'
const folder = (path: string): string => fileURLToPath(new URL(`../../deploy/${path}`, import.meta.url))

const open: AsyncDisposable[] = []
beforeEach(context => context.skip(noClusterPrograms !== undefined, noClusterPrograms))
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]()
})
const keep = <T extends AsyncDisposable>(one: T): T => {
  open.push(one)
  return one
}

const named = (objects: readonly NewObject[], kind: string, name: string): Json => {
  const found = objects.find(one => one.kind === kind && one.metadata?.name === name)
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`)
  return found
}

/** The definition of somebody else's kind, as far as it is needed to store one. */
const anyKind = (group: string, kind: string, plural: string): NewObject =>
  ({
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural, singular: kind.toLowerCase(), listKind: `${kind}List` },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  }) as NewObject

describe('the manifests', () => {
  it('have every definition that there is', () => {
    const files = readdirSync(folder('crds')).filter(name => name.endsWith('.yaml'))
    expect(kustomized(folder('crds'))).toHaveLength(files.length)
  })

  it.each(['base', 'overlays/l2-only', 'overlays/bgp'])(
    '%s is taken whole, field by field, and a second time unchanged',
    async path => {
      const server = keep(await KubeApiServer.start())
      using kubectl = new Kubectl(server.kubeconfig(), namespace, clusterProgram('kubectl'))
      const apply = ['apply', '--validate=strict', '-f', '-']
      const text = kustomizedText(path)
      const { code, err } = await kubectl.run(apply, text)
      expect([code, err]).toEqual([0, ''])
      const again = (await kubectl.must(apply, text)).trimEnd().split('\n')
      expect(again).toHaveLength(kustomized(path).length)
      expect(again.filter(line => !line.endsWith(' unchanged'))).toEqual([])
    },
  )

  it.for(['base', 'overlays/existing-metallb'])(
    '%s, once it is built, is taken from an old kubectl as well',
    async (path, context) => {
      const why = missing(debianKubectl)
      context.skip(why !== undefined, why)
      const server = keep(await KubeApiServer.start())
      using kubectl = new Kubectl(server.kubeconfig(), namespace, debianKubectl)
      const text = kustomizedText(path)
      // What the overlay is for is there already.
      if (path !== 'base') await kubectl.must(['create', 'namespace', namespace])
      await kubectl.must(['apply', '-f', '-'], text)
      const again = (await kubectl.must(['apply', '-f', '-'], text)).trimEnd().split('\n')
      expect(again).toHaveLength(kustomized(path).length)
      expect(again.filter(line => !line.endsWith(' unchanged'))).toEqual([])
    },
  )

  it('can have metrics, alerts and a network policy beside them', async () => {
    const server = keep(await KubeApiServer.start())
    for (const [kind, plural] of [
      ['PodMonitor', 'podmonitors'],
      ['PrometheusRule', 'prometheusrules'],
    ] as const)
      await server.store.create(anyKind('monitoring.coreos.com', kind, plural))
    const objects = withComponents('metrics', 'network-policy')
    await server.store.apply(objects)
    const port = named(objects, 'PodMonitor', 'carillon').spec.podMetricsEndpoints[0].port
    for (const [workload, name] of [
      ['Deployment', 'carillon-controller'],
      ['DaemonSet', 'carillon-speaker'],
    ] as const) {
      const [container] = named(objects, workload, name).spec.template.spec.containers
      expect(container.args).toContain('--port=9120')
      expect(container.ports).toContainEqual(expect.objectContaining({ name: port, containerPort: 9120 }))
    }
  })

  it('give containers no more than they need', () => {
    const security = (objects: readonly NewObject[], kind: string, name: string): Json =>
      named(objects, kind, name).spec.template.spec.containers[0].securityContext
    const controller = named(kustomized('base'), 'Deployment', 'carillon-controller').spec
    expect(controller.replicas).toBe(2)
    expect(controller.template.spec.securityContext.runAsNonRoot).toBe(true)
    for (const [path, add] of [
      ['base', ['NET_RAW']],
      ['overlays/l2-only', ['NET_RAW']],
      ['overlays/existing-metallb', ['NET_RAW']],
      ['overlays/bgp', ['NET_RAW', 'NET_BIND_SERVICE']],
    ] as const)
      expect(security(kustomized(path), 'DaemonSet', 'carillon-speaker')).toMatchObject({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'], add },
      })
  })

  it('bring beside an existing MetalLB nothing that is MetalLB’s, and speakers that its speakers find', async () => {
    const objects = kustomized('overlays/existing-metallb')
    const names = objects.map(({ kind, metadata }) => `${kind} ${metadata?.name}`)
    expect(
      names.filter(name => !/ carillon-speaker|^CustomResourceDefinition .*\.carillon\.io$/.test(name)),
    ).toEqual([])
    expect(objects.filter(({ kind }) => kind === 'CustomResourceDefinition')).toHaveLength(1)
    const { template, selector } = named(objects, 'DaemonSet', 'carillon-speaker').spec
    expect(template.metadata.labels).toMatchObject({
      app: 'metallb',
      component: 'speaker',
      ...selector.matchLabels,
    })
    expect(template.spec.nodeSelector).toMatchObject({ 'carillon.io/speaker': 'true' })
    expect(template.spec.volumes[0].secret.secretName).toBe('memberlist')
  })
})

/** A cluster as the manifests make it, in which roles decide who may do what. */
interface Installed {
  readonly server: KubeApiServer
  readonly objects: readonly NewObject[]
  readonly clock: FakeClock
  readonly log: RecordingLogger
  /** Where the webhooks are, once there are any. */
  readonly hooks: { url?: string }
}

/** @param change what is different from the manifests */
async function install(path: string, change: (object: Json) => Json = object => object): Promise<Installed> {
  const hooks: Installed['hooks'] = {}
  const server = keep(await KubeApiServer.start({ authorize: true, services: () => hooks.url }))
  const objects = kustomized(path).map(change)
  await server.store.apply(objects)
  return { server, objects, clock: new FakeClock(), log: new RecordingLogger(), hooks }
}

const kubeconfigOf = ({ server }: Installed, account: string): string =>
  server.kubeconfig({ token: server.serviceAccountToken(namespace, account) })

/** The API as a pod of this account has it. */
async function clientOf(cluster: Installed, account: string): Promise<Client> {
  const home = mkdtempSync(join(tmpdir(), 'carillon-'))
  const path = join(home, 'kubeconfig')
  writeFileSync(path, kubeconfigOf(cluster, account))
  const { client } = await connect({ kubeconfig: path })
  rmSync(home, { recursive: true })
  return keep(client)
}

/** A pod as the workload makes it, found by its own account as the program finds it. */
async function podOf(
  { server, objects }: Installed,
  kind: string,
  account: string,
  client: Client,
): Promise<OwnerReference> {
  const { template } = named(objects, kind, account).spec
  const name = `${account}-1`
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels: template.metadata.labels },
  }
  await server.store.create({ ...pod, spec: template.spec })
  await server.store.updateStatus({ ...pod, status: { podIP: '192.0.2.101', phase: 'Running' } })
  const { metadata } = await client.get(resourceTypes.pods, { namespace, name })
  return { apiVersion: 'v1', kind: 'Pod', name, uid: metadata.uid as string }
}

const environment = (
  objects: readonly NewObject[],
  kind: string,
  name: string,
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    named(objects, kind, name).spec.template.spec.containers[0].env.map((one: Json) => [one.name, one.value]),
  )

async function startController(cluster: Installed): Promise<Controller> {
  const { clock, log, objects } = cluster
  const client = await clientOf(cluster, 'carillon-controller')
  const owner = await podOf(cluster, 'Deployment', 'carillon-controller', client)
  const name = environment(objects, 'Deployment', 'carillon-controller').METALLB_ML_SECRET_NAME as string
  await ensureMemberlistSecret({ client, namespace, name })
  const common = { client, namespace, clock, random: () => 0.5, log, metrics: new RecordingMetrics() }
  const source = keep(new KubernetesSource({ ...common, kinds: ['services', 'namespaces', 'pools'] }))
  const election = keep(new LeaderElection({ ...common, name: 'carillon-controller', identity: 'one' }))
  const controller = keep(new Controller({ ...common, source, election, owner }))
  void controller.start().catch(() => {})
  return controller
}

interface Speaking {
  readonly speaker: Speaker
  readonly reporter: SpeakerReporter
  readonly peers: readonly string[]
}

/** The webhooks of a controller; the API server calls them from then on. */
async function startHooks(cluster: Installed): Promise<Hooks> {
  const hooks = keep(await Hooks.start(kubeconfigOf(cluster, 'carillon-controller'), namespace))
  cluster.hooks.url = hooks.url
  return hooks
}

async function startSpeaker(cluster: Installed): Promise<Speaking> {
  const { clock, log, objects } = cluster
  const client = await clientOf(cluster, 'carillon-speaker')
  const owner = await podOf(cluster, 'DaemonSet', 'carillon-speaker', client)
  const random = (): number => 0.5
  const metrics = new RecordingMetrics()
  const common = { client, namespace, clock, random, log, metrics }
  const source = keep(new KubernetesSource(common))
  const network = new MemoryNetwork({ clock, random }).host('n1', '192.0.2.11')
  const speaker = keep(
    new Speaker({
      node: 'n1',
      source,
      assignments: 'adopt',
      announcers: [arp(), bgp()],
      network,
      clock,
      random,
      log,
      metrics,
      version: '0',
    }),
  )
  const reporter = keep(new SpeakerReporter({ ...common, speaker, source, owner }))
  const labels = environment(objects, 'DaemonSet', 'carillon-speaker').METALLB_ML_LABELS as string
  const peers: string[] = []
  const found = keep(
    new PodPeers({ ...common, labels }, addresses => peers.splice(0, peers.length, ...addresses)),
  )
  await found.start()
  reporter.start()
  void speaker.start().catch(() => {})
  return { speaker, reporter, peers }
}

/** What users make: a pool with both kinds of advertisement, a peer with a password, a node, and a Service with an endpoint. */
async function use({ server }: Installed): Promise<void> {
  const own = (apiVersion: string, kind: string, name: string, spec: object): NewObject => ({
    apiVersion,
    kind,
    metadata: { name, namespace },
    spec,
  })
  const metallb = 'metallb.io/v1beta1'
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/basic-auth',
    metadata: { name: 'tor', namespace },
    stringData: { password: 'secret' },
  }
  const spec = {
    myASN: 64512,
    peerASN: 64513,
    peerAddress: '192.0.2.1',
    bfdProfile: 'fast',
    passwordSecret: { name: 'tor' },
  }
  const objects: readonly NewObject[] = [
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } },
    secret,
    own(metallb, 'IPAddressPool', 'first', { addresses: ['198.51.100.0/24'] }),
    own(metallb, 'L2Advertisement', 'all', {}),
    own(metallb, 'BGPAdvertisement', 'all', { communities: ['ours'] }),
    own(metallb, 'Community', 'ours', { communities: [{ name: 'ours', value: '64512:1' }] }),
    own(metallb, 'BFDProfile', 'fast', {}),
    own('metallb.io/v1beta2', 'BGPPeer', 'tor', spec),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
    } as NewObject,
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'web', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true }, nodeName: 'n1' }],
      ports: [{ port: 80 }],
    } as NewObject,
  ]
  for (const object of objects) await server.store.create(object)
}

const count = async ({ server }: Installed, apiVersion: string, kind: string): Promise<number> =>
  (await server.store.list({ apiVersion, kind, namespace })).length

const addressOf = async ({ server }: Installed): Promise<string | undefined> =>
  (await server.store.get<Json>({ apiVersion: 'v1', kind: 'Service', namespace: 'default', name: 'web' }))
    ?.status?.loadBalancer?.ingress?.[0]?.ip

/** What the log complains of. */
const complaints = ({ log }: Installed): readonly string[] =>
  log.lines.map(
    ({ message, fields }) =>
      `${message} ${(fields.err as Error | undefined)?.message ?? JSON.stringify(fields)}`,
  )

const isRole = ({ kind }: Json): boolean => kind === 'Role' || kind === 'ClusterRole'

/** Every verb on every resource that the roles of an account give, as requests are counted. */
const granted = ({ objects }: Installed, account: string): readonly string[] =>
  objects
    .filter(one => isRole(one) && one.metadata?.name?.startsWith(account))
    .flatMap((role: Json) => role.rules as readonly Json[])
    .flatMap(({ apiGroups: [group], resources, verbs }) =>
      resources.flatMap((resource: string) =>
        verbs.map((verb: string) => `${verb} ${resource}${group === '' ? '' : `.${group}`}`),
      ),
    )

const asked = ({ server }: Installed): readonly string[] =>
  [...new Set(server.requests.all().map(({ verb, resource }) => `${verb} ${resource}`))].toSorted()

/** Asked for only where somebody else writes at the same time, a pod takes over from another, or an event happens again. */
const seldom = (...kinds: readonly string[]): readonly string[] => [
  'patch events',
  ...kinds.flatMap(kind => [`get ${kind}`, `patch ${kind}`]),
]

describe('the roles', () => {
  it('let a controller do its work, and nothing beyond', async () => {
    const cluster = await install('base')
    await use(cluster)
    const controller = await startController(cluster)
    const hooks = await startHooks(cluster)
    const spec = { myASN: 1, peerASN: 2, peerAddress: '192.0.2.1', holdTime: '1s' }
    const peer = { metadata: { name: 'next', namespace }, spec }
    const wrong = { apiVersion: 'metallb.io/v1beta1', kind: 'BGPPeer', ...peer }
    await expect(cluster.server.store.create(wrong)).rejects.toThrow('BGPPeer "next" spec.holdTime: ')
    await until(() => addressOf(cluster), cluster.clock, 20)
    await until(() => controller.status().writers.every(({ pending }) => pending === 0), cluster.clock, 20)
    await until(() => count(cluster, 'metallb.io/v1beta1', 'ConfigurationState'), cluster.clock, 20)
    await until(
      () => cluster.server.requests.count('update', 'leases.coordination.k8s.io') > 0,
      cluster.clock,
      20,
    )
    expect(complaints(cluster).filter(text => text.includes('may not'))).toEqual([])
    expect(hooks.log.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
    // Secrets are written when certificates are renewed; they are asked to be listed, and that is refused.
    const rest = [...seldom('configurationstates.metallb.io'), 'patch secrets']
    const refused = 'list secrets'
    expect(asked(cluster)).toContain(refused)
    expect([...asked(cluster).filter(one => one !== refused), ...rest].toSorted()).toEqual(
      [...new Set(granted(cluster, 'carillon-controller'))].toSorted(),
    )
  })

  it('let a speaker do its work, and nothing beyond', async () => {
    const cluster = await install('base')
    const { server, clock } = cluster
    await use(cluster)
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'default' } }
    await server.store.updateStatus({
      ...service,
      status: { loadBalancer: { ingress: [{ ip: '198.51.100.1' }] } },
    })
    const { peers } = await startSpeaker(cluster)
    const kinds = ['ServiceL2Status', 'ServiceBGPStatus', 'ConfigurationState'] as const
    for (const kind of kinds) await until(() => count(cluster, 'metallb.io/v1beta1', kind), clock, 20)
    await until(() => count(cluster, 'carillon.io/v1alpha1', 'BGPSessionState'), clock, 20)
    await until(() => server.requests.count('create', 'events') > 0, clock, 20)
    expect(peers).toEqual(['192.0.2.101'])
    await server.store.delete({ apiVersion: 'v1', kind: 'Service', namespace: 'default', name: 'web' })
    await server.store.delete({ apiVersion: 'metallb.io/v1beta2', kind: 'BGPPeer', namespace, name: 'tor' })
    await until(async () => (await count(cluster, 'metallb.io/v1beta1', 'ServiceL2Status')) === 0, clock, 20)
    await until(async () => (await count(cluster, 'metallb.io/v1beta1', 'ServiceBGPStatus')) === 0, clock, 20)
    await until(
      async () => (await count(cluster, 'carillon.io/v1alpha1', 'BGPSessionState')) === 0,
      clock,
      20,
    )
    expect(complaints(cluster).filter(text => text.includes('may not'))).toEqual([])
    const own = ['servicel2statuses', 'servicebgpstatuses', 'configurationstates'].map(
      one => `${one}.metallb.io`,
    )
    const rest = seldom(...own, 'bgpsessionstates.carillon.io')
    expect([...asked(cluster), ...rest].toSorted()).toEqual(
      [...new Set(granted(cluster, 'carillon-speaker'))].toSorted(),
    )
  })

  it('of layer 2 alone keep Secrets from a speaker, which announces all the same', async () => {
    const cluster = await install('overlays/l2-only')
    const { server, clock } = cluster
    await use(cluster)
    await server.store.delete({ apiVersion: 'metallb.io/v1beta2', kind: 'BGPPeer', namespace, name: 'tor' })
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'default' } }
    await server.store.updateStatus({
      ...service,
      status: { loadBalancer: { ingress: [{ ip: '198.51.100.1' }] } },
    })
    const { speaker } = await startSpeaker(cluster)
    await until(() => count(cluster, 'metallb.io/v1beta1', 'ServiceL2Status'), clock, 20)
    expect(speaker.ready).toBe(true)
    expect(speaker.problems.filter(({ severity }) => severity === 'error')).toEqual([])
  })

  /** The manifests without one verb on one resource. */
  const without =
    (account: string, verb: string, resource: string) =>
    (object: Json): Json => {
      if (!isRole(object) || !object.metadata.name.startsWith(account)) return object
      const rules = (object.rules as readonly Json[]).flatMap(rule =>
        rule.resources.map((one: string) => ({
          ...rule,
          resources: [one],
          verbs: rule.verbs.filter((other: string) => one !== resource || other !== verb),
        })),
      )
      return { ...object, rules: rules.filter(({ verbs }) => verbs.length > 0) }
    }

  it.each([
    ['list', 'services', 'list services in all namespaces'],
    ['watch', 'ipaddresspools', 'watch ipaddresspools.metallb.io in metallb-system'],
    ['patch', 'services/status', 'patch services/status default/web'],
    ['patch', 'ipaddresspools/status', 'patch ipaddresspools.metallb.io/status metallb-system/first'],
    ['create', 'leases', 'create leases.coordination.k8s.io in metallb-system'],
    ['create', 'events', 'create events in default'],
  ])('without “%s %s” make a controller name what it lacks', async (verb, resource, action) => {
    const cluster = await install('base', without('carillon-controller', verb, resource))
    await use(cluster)
    const controller = await startController(cluster)
    const said = (): boolean =>
      [...complaints(cluster), JSON.stringify(controller.status())].some(text =>
        text.includes(`may not ${action}`),
      )
    await until(said, cluster.clock, 20)
    expect(said()).toBe(true)
  })

  it.each([
    ['watch', 'endpointslices', 'watch endpointslices.discovery.k8s.io in all namespaces'],
    ['list', 'l2advertisements', 'list l2advertisements.metallb.io in metallb-system'],
    ['list', 'pods', 'list pods in metallb-system'],
    ['create', 'servicel2statuses', 'create servicel2statuses.metallb.io in metallb-system'],
    [
      'patch',
      'configurationstates/status',
      'patch configurationstates.metallb.io/status metallb-system/speaker-n1',
    ],
    ['list', 'bgpsessionstates', 'list bgpsessionstates.carillon.io in metallb-system'],
  ])('without “%s %s” make a speaker name what it lacks', async (verb, resource, action) => {
    const cluster = await install('base', without('carillon-speaker', verb, resource))
    await use(cluster)
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', namespace: 'default' } }
    await cluster.server.store.updateStatus({
      ...service,
      status: { loadBalancer: { ingress: [{ ip: '198.51.100.1' }] } },
    })
    const { reporter } = await startSpeaker(cluster)
    const said = (): boolean =>
      [...complaints(cluster), JSON.stringify(reporter.status())].some(text =>
        text.includes(`may not ${action}`),
      )
    await until(said, cluster.clock, 20)
    expect(said()).toBe(true)
  })
})
