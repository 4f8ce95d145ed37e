import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse, stringify } from 'yaml'
import { cluster, service } from './support/manifests.ts'
import { describeLab } from './support/needs.ts'
import { eventually, SpeakerLab } from './support/speaker-lab.ts'

const nodes = ['node-a', 'node-b', 'node-c']
const vip = '10.77.0.100'
const bgp = `---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: { name: tor }
spec: { myASN: 64512, peerASN: 64513, peerAddress: 10.77.0.1 }
---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: { name: all }
`
const manifests = `${cluster(nodes, service('web', { addresses: [vip] }))}${bgp}`
const file = (path: string): Promise<string> =>
  readFile(fileURLToPath(new URL(`../../deploy/${path}`, import.meta.url)), 'utf8')

/** What a query came to: the samples, or why it is none. */
type Found =
  | { readonly samples: readonly { readonly metric: Record<string, string> }[] }
  | { readonly error: string }

// In the lab's client, where Prometheus listens: reads expressions from its argument, prints what each came to.
const asking = `
const found = await Promise.all(JSON.parse(process.argv[1]).map(async query => {
  const url = 'http://127.0.0.1:9090/api/v1/query?query=' + encodeURIComponent(query)
  const answer = await (await fetch(url)).json()
  return answer.status === 'success' ? { samples: answer.data.result } : { error: answer.error }
}))
console.log(JSON.stringify(found))`

const listing = `
const { data } = await (await fetch('http://127.0.0.1:9090/api/v1/alerts')).json()
console.log(JSON.stringify(data.alerts.filter(({ labels }) => labels.alertname !== 'MetalLBBGPSessionDown')))`

const joining = nodes.flatMap((_, i) => ['--gossip-join', `10.77.0.1${i + 1}`])
const flags = ['--http', '0.0.0.0:7472', '--garp-count', '2', '--garp-interval', '100', ...joining]

describeLab('Prometheus', ['prometheus'], () => {
  let lab: SpeakerLab
  let folder = ''

  const query = async (...expressions: readonly string[]): Promise<readonly Found[]> => {
    const words = ['--input-type=module', '-e', asking, JSON.stringify(expressions)]
    const { code, stdout, stderr } = await lab.net.exec('client', execPath, words)
    if (code !== 0) throw new Error(stderr)
    return JSON.parse(stdout) as readonly Found[]
  }

  const samples = (found: Found | undefined): number =>
    found && 'samples' in found ? found.samples.length : 0

  beforeAll(async () => {
    lab = await SpeakerLab.build('prometheus', { nodes, manifests })
    folder = await mkdtemp(join(tmpdir(), 'carillon-prometheus-'))
    const { spec } = parse(await file('kustomize/components/metrics/prometheus-rule.yaml')) as {
      spec: object
    }
    await writeFile(join(folder, 'rules.yaml'), stringify(spec))
    const targets = nodes.map((node, i) => ({ targets: [`10.77.0.1${i + 1}:7472`], labels: { node } }))
    const settings = {
      global: { scrape_interval: '500ms', evaluation_interval: '500ms' },
      rule_files: [join(folder, 'rules.yaml')],
      scrape_configs: [{ job_name: 'carillon', static_configs: targets }],
    }
    await writeFile(join(folder, 'prometheus.yaml'), stringify(settings))
    const words = [`--config.file=${join(folder, 'prometheus.yaml')}`, '--web.listen-address=127.0.0.1:9090']
    lab.net.spawn(
      'client',
      'prometheus',
      [...words, `--storage.tsdb.path=${join(folder, 'data')}`, '--log.level=error'],
      {
        stdio: 'ignore',
      },
    )
    await lab.start(nodes, flags)
    await lab.settled('default/web', owner => owner !== null)
    // Something to measure: the client asks, and hears an answer.
    await eventually(
      'the client hears an answer',
      async () => (await lab.arping(vip)).length > 0 || undefined,
    )
    await eventually(
      'Prometheus has looked at everything twice since',
      async () => {
        const seen = ['carillon_gossip_members', 'metallb_layer2_requests_received']
        const found = await query(...seen.map(name => `count_over_time(${name}[1m]) > 3`)).catch(() => [])
        return (samples(found[0]) === nodes.length && samples(found[1]) > 0) || undefined
      },
      20,
    )
  })

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]()
    if (folder !== '') await rm(folder, { recursive: true, force: true })
  })

  it('finds something for every panel of the dashboard that is not about Kubernetes alone', async () => {
    interface Panel {
      readonly title: string
      readonly targets: readonly { readonly expr: string }[]
    }
    const { panels } = JSON.parse(await file('dashboards/carillon.json')) as { panels: readonly Panel[] }
    const wanted = panels.flatMap(({ title, targets }) => targets.map(({ expr }) => ({ title, expr })))
    const found = await query(...wanted.map(({ expr }) => expr.replaceAll('$__rate_interval', '10s')))
    const wrong = wanted.flatMap(({ title, expr }, i) => {
      const one = found[i]
      return one && 'error' in one ? `${title}: ${expr}: ${one.error}` : []
    })
    expect(wrong).toEqual([])
    const empty = wanted.filter((_, i) => samples(found[i]) === 0).map(({ expr }) => expr)
    const metrics = empty.map(expr => /(?:metallb|carillon)_\w+/.exec(expr)?.[0])
    // Nothing has to have been attacked or lost, and there is no Kubernetes here.
    const seldom = [
      'carillon_bgp_session_downs',
      'carillon_gossip_dropped_total',
      'carillon_k8s_source_stale_bool',
      'carillon_k8s_writes_pending',
      'carillon_layer2_conflicts',
    ]
    expect(metrics.filter(name => name === undefined || !seldom.includes(name))).toEqual([])
  })

  it('finds no alert while all is well, one as soon as the owner of an address is killed, and none when it is back', async () => {
    const alerts = async (): Promise<readonly string[]> => {
      const [found] = await query('ALERTS{alertstate="firing"}')
      if (!found || 'error' in found) throw new Error(JSON.stringify(found))
      const names = found.samples.map(({ metric }) => metric.alertname ?? '')
      // There is no router here, and on a slow machine that is noticed.
      return names.filter(name => name !== 'MetalLBBGPSessionDown')
    }
    expect(await alerts()).toEqual([])
    const owner = (await lab.owner('default/web')) ?? ''
    await lab.signal(owner, 'SIGKILL')
    const firing = await eventually('an alert fires', async () => {
      const names = await alerts()
      return names.length > 0 ? names : undefined
    })
    expect(firing).toEqual(['CarillonNodeLost'])
    const heir = await eventually('Prometheus sees who holds the address now', async () => {
      const [found] = await query('metallb_speaker_announced{protocol="layer2"}')
      const holders = found && 'samples' in found ? found.samples.map(({ metric }) => metric.node) : []
      return holders.length === 1 && holders[0] !== owner ? holders[0] : undefined
    })
    expect(nodes).toContain(heir)
    // As people see it on the page of alerts: what it is about, and since when.
    const shown = await lab.net.exec('client', execPath, ['--input-type=module', '-e', listing])
    expect(JSON.parse(shown.stdout)).toMatchObject([
      {
        state: 'firing',
        labels: { alertname: 'CarillonNodeLost' },
        annotations: { summary: expect.any(String) },
      },
    ])
    await lab.start([owner], flags)
    await eventually(
      'the alert is resolved when the node is back',
      async () => (await alerts()).length === 0 || undefined,
      20,
    )
  })
})
