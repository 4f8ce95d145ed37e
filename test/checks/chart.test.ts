import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { webhookConfiguration } from '@carillon/kubernetes'
import { KubeApiServer, type NewObject } from '@carillon/kubernetes/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { Json } from '../kube/support/api.ts'
import { chartFolder, helm, helmAsync, rendered } from '../kube/support/chart.ts'
import { kustomized, withComponents } from '../kube/support/kustomize.ts'
import { noClusterPrograms } from '../support/cluster-programs.ts'

const namespace = 'metallb-system'

beforeEach(context => context.skip(noClusterPrograms !== undefined, noClusterPrograms))

/** An object as it works: apart from its own labels, and from what tells Helm to keep it. */
function plain({ metadata, ...object }: Json): Json {
  const { labels: _labels, annotations = {}, ...rest } = metadata
  const { 'helm.sh/resource-policy': _policy, ...others } = annotations
  return {
    ...object,
    metadata: { ...rest, ...(Object.keys(others).length > 0 ? { annotations: others } : {}) },
  }
}

const keyOf = ({ kind, metadata }: Json): string => `${kind} ${metadata.name}`

/** Objects by kind and name, apart from the namespace, which Helm is given. */
const byName = (objects: readonly NewObject[]): Readonly<Record<string, Json>> =>
  Object.fromEntries(
    objects
      .map(plain)
      .filter(({ kind }) => kind !== 'Namespace')
      .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
      .map(object => [keyOf(object), object]),
  )

const container = (objects: readonly NewObject[], kind: string): Json =>
  (objects.find(one => one.kind === kind) as Json).spec.template.spec.containers[0]

const monitoring = { podMonitor: { enabled: true }, prometheusRule: { enabled: true } }

describe('the chart', () => {
  it('is what Helm takes for one', () => {
    expect(helm(['lint', '--strict', chartFolder])).toMatchObject({ code: 0 })
  })

  it('makes the same objects as the base of kustomize', () => {
    expect(byName(rendered())).toEqual(byName(kustomized('base')))
  })

  it('without a right to read Secrets is the overlay l2-only', () => {
    const values = { speaker: { bgp: { passwordSecrets: false } } }
    expect(byName(rendered(values))).toEqual(byName(kustomized('overlays/l2-only')))
  })

  it('for routers that connect is the overlay bgp, and listens', () => {
    const objects = rendered({ speaker: { bgp: { listen: '0.0.0.0' } } })
    const { args } = container(objects, 'DaemonSet')
    expect(args.pop()).toBe('--bgp-listen=0.0.0.0')
    expect(byName(objects)).toEqual(byName(kustomized('overlays/bgp')))
  })

  it('with metrics and a network policy is the base with those components', () => {
    const values = { metrics: { enabled: true, ...monitoring }, networkPolicy: { enabled: true } }
    expect(byName(rendered(values))).toEqual(byName(withComponents('metrics', 'network-policy')))
  })

  it('with secure metrics is the base with that component; who reads them may be named', () => {
    const secure = { enabled: true }
    const values = { metrics: { enabled: true, secure, ...monitoring } }
    expect(byName(rendered(values))).toEqual(byName(withComponents('metrics-secure')))
    const reader = { serviceAccount: 'prometheus', namespace: 'monitoring' }
    const objects = rendered({
      metrics: { enabled: true, secure: { enabled: true, secretName: 'ours', reader } },
    })
    const binding: Json = objects.find(one => keyOf(one) === 'ClusterRoleBinding carillon-metrics-reader')
    expect(binding.subjects).toEqual([
      { kind: 'ServiceAccount', name: 'prometheus', namespace: 'monitoring' },
    ])
    for (const kind of ['Deployment', 'DaemonSet']) {
      const { args, volumeMounts } = container(objects, kind)
      const folder = '/etc/carillon/metrics-certificates'
      expect(args).toContain(`--metrics-cert-dir=${folder}`)
      const { name } = volumeMounts.find((one: Json) => one.mountPath === folder)
      const { volumes } = (objects.find(one => one.kind === kind) as Json).spec.template.spec
      expect(volumes).toContainEqual({ name, secret: { secretName: 'ours' } })
    }
  })

  it('with certificates of somebody else has the webhooks written out, and no rights to keep any up', () => {
    const certificates = { secretName: 'ours', caBundle: 'YQ==', annotations: { 'example/inject': 'yes' } }
    const objects = rendered({ webhooks: { failurePolicy: 'Ignore', certificates } }, 'elsewhere')
    const configuration: Json = objects.find(({ kind }) => kind === 'ValidatingWebhookConfiguration')
    const { webhooks } = webhookConfiguration({ namespace: 'elsewhere', failurePolicy: 'Ignore' })
    expect(configuration.webhooks).toEqual(
      webhooks.map((one: Json) => ({ ...one, clientConfig: { ...one.clientConfig, caBundle: 'YQ==' } })),
    )
    const definition: Json = objects.find(({ metadata }) => metadata?.name === 'bgppeers.metallb.io')
    expect(definition.spec.conversion.webhook.clientConfig).toMatchObject({
      service: { namespace: 'elsewhere' },
      caBundle: 'YQ==',
    })
    for (const { metadata } of [configuration, definition])
      expect(metadata.annotations).toMatchObject({ 'example/inject': 'yes' })
    const rules = JSON.stringify(objects.filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole'))
    expect(rules).not.toMatch(/metallb-webhook-cert|customresourcedefinitions|validatingwebhook/)
    expect(container(objects, 'Deployment').args).toContain('--disable-cert-rotation')
  })

  it('without webhooks serves BGPPeer in the one version that needs no conversion', () => {
    const objects = rendered({ webhooks: { enabled: false } })
    const definition: Json = objects.find(({ metadata }) => metadata?.name === 'bgppeers.metallb.io')
    expect(definition.spec.conversion).toBeUndefined()
    expect(definition.spec.versions.map((one: Json) => [one.name, one.served])).toEqual([
      ['v1beta1', false],
      ['v1beta2', true],
    ])
    const kinds = new Set(objects.map(({ kind }) => kind))
    expect(kinds.has('Service') || kinds.has('ValidatingWebhookConfiguration')).toBe(false)
    expect(container(objects, 'Deployment').args).toContain('--webhook-mode=disabled')
  })

  it('says what it is told by flags, ConfigMaps and Secrets', () => {
    const objects = rendered({
      image: { repository: 'registry.example:5000/carillon', tag: '1.2', pullPolicy: 'Always' },
      loadBalancerClass: 'example.io/lb,',
      logLevel: 'debug',
      controller: {
        image: { digest: `sha256:${'a'.repeat(64)}` },
        replicas: 3,
        extraArgs: ['--log-format=pretty'],
      },
      speaker: {
        gossip: { profile: 'lan', label: 'blue', secretName: 'key', config: { probeTimeout: '500ms' } },
        excludeInterfaces: ['^docker.*', '^cali'],
        ignoreExcludeLB: true,
      },
      bgpPasswords: { tor: 'p{{w' },
    })
    const [controller, speaker] = ['Deployment', 'DaemonSet'].map(kind => container(objects, kind))
    expect(controller.image).toBe(`registry.example:5000/carillon@sha256:${'a'.repeat(64)}`)
    expect(speaker.image).toBe('registry.example:5000/carillon:1.2')
    expect(speaker.imagePullPolicy).toBe('Always')
    const common = ['--health-probe-port=17472', '--lb-class=example.io/lb,', '--log-level=debug']
    expect(controller.args).toEqual(['controller', ...common, '--log-format=pretty'])
    expect(speaker.args).toEqual([
      'speaker',
      ...common,
      '--gossip-profile=lan',
      '--gossip-label=blue',
      '--ignore-exclude-lb',
    ])
    const named = (kind: string, name: string): Json => objects.find(one => keyOf(one) === `${kind} ${name}`)
    expect(parse(named('ConfigMap', 'metallb-excludel2').data['excludel2.yaml'])).toEqual({
      announcedInterfacesToExclude: ['^docker.*', '^cali'],
    })
    expect(JSON.parse(named('ConfigMap', 'metallb-memberlist-config').data['config.json'])).toEqual({
      probeTimeout: '500ms',
    })
    expect(named('Secret', 'tor')).toMatchObject({
      type: 'kubernetes.io/basic-auth',
      stringData: { password: 'p{{w' },
    })
    expect(JSON.stringify(named('Role', 'carillon-controller').rules)).toContain('["key"]')
  })

  it.each<[string, object, string]>([
    ['a value that is not known', { speakers: {} }, "additional properties 'speakers' not allowed"],
    ['one deep inside', { speaker: { gossip: { profil: 'lan' } } }, "additional properties 'profil'"],
    [
      'a profile that does not exist',
      { speaker: { gossip: { profile: 'quick' } } },
      '/speaker/gossip/profile',
    ],
    ['a port beyond all ports', { metrics: { port: 70_000 } }, '/metrics/port'],
    ['no controller at all', { controller: { replicas: 0 } }, '/controller/replicas'],
    ['a digest that is none', { image: { digest: 'sha256:12' } }, '/image/digest'],
    ['a password too long for TCP-MD5', { bgpPasswords: { tor: 'x'.repeat(81) } }, '/bgpPasswords/tor'],
    [
      'a quantity that is none',
      { speaker: { resources: { limits: { cpu: 'much' } } } },
      '/speaker/resources',
    ],
    ['a policy that does not exist', { webhooks: { failurePolicy: 'fail' } }, '/webhooks/failurePolicy'],
    ['a flag without dashes', { speaker: { extraArgs: ['sticky'] } }, '/speaker/extraArgs/0'],
  ])('refuses %s', (_, values, words) => {
    expect(() => rendered(values)).toThrow(words)
  })

  it('has a default, a description and a place in its README for every value', () => {
    const read = (name: string): string => readFileSync(join(chartFolder, name), 'utf8')
    const [schema, defaults, readme] = [
      JSON.parse(read('values.schema.json')),
      parse(read('values.yaml')),
      read('README.md'),
    ]
    const paths = (value: Json, at: readonly string[]): readonly string[] =>
      Object.entries<Json>(value).flatMap(([name, one]) => {
        const own = [...at, name]
        const described = own.reduce((inside: Json, part) => inside?.properties?.[part], schema)
        expect([own.join('.'), described?.description]).toEqual([own.join('.'), expect.any(String)])
        return described.properties && Object.keys(one).length > 0 ? paths(one, own) : [own.join('.')]
      })
    const all = paths(defaults, [])
    expect(all.length).toBeGreaterThan(40)
    expect(all.filter(path => !readme.includes(`| \`${path}\` |`))).toEqual([])
  })

  it('is installed, upgraded and uninstalled by Helm, and leaves the definitions', async () => {
    await using server = await KubeApiServer.start({ tls: true, authorize: true })
    const home = mkdtempSync(join(tmpdir(), 'carillon-'))
    const path = join(home, 'kubeconfig')
    writeFileSync(path, server.kubeconfig())
    const run = (...words: readonly string[]) =>
      helmAsync([...words, '--kubeconfig', path, '--namespace', namespace])
    try {
      expect(await run('install', 'carillon', chartFolder, '--create-namespace')).toMatchObject({ code: 0 })
      const daemonSets = { apiVersion: 'apps/v1', kind: 'DaemonSet', namespace }
      expect(await server.store.list(daemonSets)).toHaveLength(1)
      const upgrade = ['upgrade', 'carillon', chartFolder, '--set', 'controller.replicas=3']
      expect(await run(...upgrade)).toMatchObject({ code: 0 })
      const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name: 'carillon-controller' }
      expect(await server.store.get<Json>(deployment)).toMatchObject({ spec: { replicas: 3 } })
      expect(await run('uninstall', 'carillon')).toMatchObject({ code: 0, err: '' })
      expect(await server.store.list(daemonSets)).toEqual([])
      const definitions = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition' }
      expect(await server.store.list(definitions)).toHaveLength(10)
    } finally {
      rmSync(home, { recursive: true })
    }
  })
})
