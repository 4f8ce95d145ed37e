import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KubeApiServer, type NewObject } from '@carillon/kubernetes/testing'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import type { Json } from '../kube/support/api.ts'
import { rendered } from '../kube/support/chart.ts'
import { Kubectl } from '../kube/support/kubectl.ts'
import { kustomized, objectsOf, withComponents } from '../kube/support/kustomize.ts'
import { clusterProgram, noClusterPrograms } from '../support/cluster-programs.ts'
import { isPublished, schemaProblems, unknownFields } from '../support/kubernetes-schemas.ts'
import { missing } from '../support/missing.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const monitoring = { enabled: true, podMonitor: { enabled: true }, prometheusRule: { enabled: true } }

const secure = { enabled: true, secretName: 'certificates', reader: { serviceAccount: 'prometheus' } }

let known: readonly NewObject[] | undefined

/** Every object that deploy/ can come to, each once. */
function all(): readonly NewObject[] {
  if (known !== undefined) return known
  const objects = [
    ...['base', 'overlays/l2-only', 'overlays/bgp', 'overlays/existing-metallb'].flatMap(kustomized),
    ...withComponents('metrics', 'network-policy'),
    ...withComponents('metrics-secure'),
    ...rendered(),
    ...rendered(everything),
    ...rendered({ metrics: { ...monitoring, secure } }),
    ...rendered({ webhooks: { enabled: false }, speaker: { gossip: { enabled: false } } }),
  ]
  known = [...new Map(objects.map(one => [JSON.stringify(one), one])).values()]
  return known
}

const everything = {
  image: { pullPolicy: 'Always' },
  imagePullSecrets: [{ name: 'registry' }],
  controller: {
    tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }],
    podAnnotations: { a: 'b' },
    affinity: { podAntiAffinity: {} },
  },
  speaker: {
    bgp: { listen: '0.0.0.0' },
    excludeInterfaces: ['^docker'],
    maxUnavailable: '10%',
    gossip: { config: { probeTimeout: '1s' } },
  },
  bgpPasswords: { tor: 'secret' },
  webhooks: { certificates: { secretName: 'certificates', annotations: { a: 'b' } } },
  metrics: { ...monitoring, podMonitor: { enabled: true, interval: '30s', labels: { a: 'b' } } },
  networkPolicy: { enabled: true },
}

describe('what deploy/ comes to', () => {
  it('fits the published schemas of Kubernetes and of the Prometheus operator', async context => {
    context.skip(noClusterPrograms !== undefined, noClusterPrograms)
    expect(all().every(isPublished)).toBe(true)
    expect(await schemaProblems(all())).toEqual([])
  })

  it('has no field that nobody knows', context => {
    context.skip(noClusterPrograms !== undefined, noClusterPrograms)
    expect(unknownFields(all())).toEqual([])
  })

  it('would be found out', async () => {
    const monitor: Json = {
      apiVersion: 'monitoring.coreos.com/v1',
      kind: 'PodMonitor',
      metadata: { name: 'x' },
      spec: { selector: {}, podMetricsEndpoints: [{ prot: 'metrics' }] },
    }
    const account: Json = {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'y' },
      spec: { selector: {}, template: { spec: { containers: [{ image: 'z' }] } } },
    }
    expect(unknownFields([monitor])).toEqual([expect.stringContaining(`'"prot"' does not exist`)])
    expect(await schemaProblems([account])).toEqual([
      expect.stringContaining('must have required property name'),
    ])
  })

  it('is taken by kubectl and the server in a dry run, strictly', async context => {
    context.skip(noClusterPrograms !== undefined, noClusterPrograms)
    await using server = await KubeApiServer.start()
    await server.store.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'metallb-system' } })
    using kubectl = new Kubectl(server.kubeconfig(), 'metallb-system', clusterProgram('kubectl'))
    const tried = all().filter(
      ({ apiVersion, kind }) => !apiVersion.startsWith('monitoring.') && kind !== 'Namespace',
    )
    const words = ['apply', '--dry-run=server', '--validate=strict', '-f', '-']
    const { code, out, err } = await kubectl.run(
      words,
      tried.map(object => `---\n${JSON.stringify(object)}\n`).join(''),
    )
    expect([code, err]).toEqual([0, ''])
    expect(out.trimEnd().split('\n')).toHaveLength(tried.length)
  })
})

/** Every block of YAML in a document. */
const blocks = (path: string): readonly string[] =>
  [...readFileSync(join(root, path), 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(
    match => match[1] ?? '',
  )

describe('what the guides show', () => {
  it('fits our definitions, field by field', async () => {
    await using server = await KubeApiServer.start()
    await server.store.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'metallb-system' } })
    for (const file of readdirSync(join(root, 'deploy/crds')).filter(name => name.endsWith('.yaml'))) {
      const [definition] = objectsOf(readFileSync(join(root, 'deploy/crds', file), 'utf8')) as [Json]
      delete definition.spec.conversion
      await server.store.create(definition)
    }
    const shown = ['docs/guide/kubernetes.md', 'docs/migrate-from-metallb.md']
      .flatMap(blocks)
      .flatMap(objectsOf)
      .filter(one => typeof one === 'object' && one.kind !== undefined && one.apiVersion !== undefined)
      .filter(({ apiVersion }) => !apiVersion.startsWith('kustomize.'))
    expect(shown.length).toBeGreaterThan(3)
    await server.store.apply(shown)
  })

  it('of values fits the chart', context => {
    context.skip(noClusterPrograms !== undefined, noClusterPrograms)
    const shown = blocks('deploy/helm/carillon/README.md').flatMap(objectsOf)
    expect(shown.length).toBeGreaterThan(0)
    for (const values of shown) rendered(values)
  })
})

describe('the alerts', () => {
  const rules = (): Json => withComponents('metrics').find(({ kind }) => kind === 'PrometheusRule') as Json
  const promtool = (files: Readonly<Record<string, object>>, ...words: readonly string[]) => {
    const home = mkdtempSync(join(tmpdir(), 'carillon-'))
    try {
      for (const [name, content] of Object.entries(files)) writeFileSync(join(home, name), stringify(content))
      const { status, stdout, stderr } = spawnSync('promtool', words, { cwd: home, encoding: 'utf8' })
      return { code: status, said: `${stdout}${stderr}` }
    } finally {
      rmSync(home, { recursive: true })
    }
  }
  const why = noClusterPrograms ?? missing('promtool')

  it('are what Prometheus takes for rules', context => {
    context.skip(why !== undefined, why)
    const { groups } = rules().spec
    expect(promtool({ 'rules.yaml': { groups } }, 'check', 'rules', 'rules.yaml')).toEqual({
      code: 0,
      said: expect.stringContaining(
        `SUCCESS: ${groups.flatMap((one: Json) => one.rules).length} rules found`,
      ),
    })
  })

  it('fire when they should, and only then', context => {
    context.skip(why !== undefined, why)
    const { groups } = rules().spec
    const series = (name: string, labels: string, values: string) => ({
      series: `${name}{${labels}}`,
      values,
    })
    const test = (
      input_series: readonly object[],
      eval_time: string,
      alertname: string,
      labels: readonly object[],
    ) => ({
      interval: '1m',
      input_series,
      alert_rule_test: [{ eval_time, alertname, exp_alerts: labels.map(exp => exp) }],
    })
    const used = series('metallb_allocator_addresses_in_use_total', 'pool="a"', '5x10')
    const size = (count: number) => series('metallb_allocator_addresses_total', 'pool="a"', `${count}x10`)
    const expected = (labels: object, summary: string) => ({
      exp_labels: labels,
      exp_annotations: { summary },
    })
    const session = series('metallb_bgp_session_up', 'peer="tor",pod="p"', '1 1 0x8')
    const tests = [
      test([used, size(5)], '5m', 'MetalLBAddressPoolExhausted', [
        expected({ pool: 'a', severity: 'critical' }, 'the pool a has no address left'),
      ]),
      test([used, size(6)], '5m', 'MetalLBAddressPoolExhausted', []),
      test([used, size(6)], '5m', 'MetalLBAddressPoolUsage75Percent', [
        expected({ pool: 'a', severity: 'warning' }, 'three quarters of the pool a are in use'),
      ]),
      test([session], '1m', 'MetalLBBGPSessionDown', []),
      test([session], '6m', 'MetalLBBGPSessionDown', [
        expected({ peer: 'tor', pod: 'p', severity: 'critical' }, 'p has no BGP session with tor'),
      ]),
      test([series('carillon_layer2_conflicts', 'pod="p"', '0 0 1x6')], '3m', 'CarillonAddressConflict', [
        expected({ pod: 'p', severity: 'critical' }, 'another station uses an address that p announces'),
      ]),
    ]
    const files = { 'rules.yaml': { groups }, 'tests.yaml': { rule_files: ['rules.yaml'], tests } }
    expect(promtool(files, 'test', 'rules', 'tests.yaml')).toEqual({
      code: 0,
      said: expect.stringContaining('SUCCESS'),
    })
  })

  it('ask for metrics that there are', context => {
    context.skip(noClusterPrograms !== undefined, noClusterPrograms)
    const expressions: readonly string[] = rules().spec.groups.flatMap((group: Json) =>
      group.rules.map((rule: Json) => rule.expr),
    )
    const asked = new Set(expressions.flatMap(text => text.match(/\b(metallb|carillon)_\w+/g) ?? []))
    const sources = readdirSync(join(root, 'packages'), { recursive: true, encoding: 'utf8' })
      .filter(name => /^[^/]+\/src\/.*\.ts$/.test(name) && !name.endsWith('.test.ts'))
      .map(name => readFileSync(join(root, 'packages', name), 'utf8'))
      .join('')
    expect([...asked].filter(name => !sources.includes(`'${name}'`))).toEqual([])
  })
})
