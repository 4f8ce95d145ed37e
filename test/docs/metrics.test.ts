import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KubeApiServer, type NewObject } from '@carillon/kubernetes/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { freePort } from '../support/free-port.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const bin = join(root, 'packages', 'cli', 'bin', 'carillon.js')
const programs = ['run', 'speaker', 'controller'] as const
type Program = (typeof programs)[number]

interface Metric {
  readonly type: string
  readonly meaning: string
  /** As far as the samples tell; undefined: there are none. */
  readonly labels: string | undefined
}

const namespace = 'metallb-system'
const own = (kind: string, name: string, spec: object, version = 'metallb.io/v1beta1'): NewObject => ({
  apiVersion: version,
  kind,
  metadata: { name, namespace },
  spec,
})

/** Enough for every part to be there, and nothing that would be announced on an interface of this machine. */
const objects: readonly NewObject[] = [
  own('IPAddressPool', 'pool', { addresses: ['192.0.2.0/28'] }),
  own('BGPAdvertisement', 'bgp', {}),
  own('BFDProfile', 'bfd', {}),
  own(
    'BGPPeer',
    'peer',
    { myASN: 65001, peerASN: 65000, peerAddress: '127.0.0.1', peerPort: 1, bfdProfile: 'bfd' },
    'metallb.io/v1beta2',
  ),
  { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-a' } },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
  },
]

const ask = (port: number, path: string): Promise<string | undefined> =>
  new Promise(resolve => {
    get({ host: '127.0.0.1', port, path }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', piece => {
        text += piece
      })
      response.on('end', () => resolve(response.statusCode === 200 ? text : undefined))
    }).on('error', () => resolve(undefined))
  })

/** What a program shows, without what every Node process does. */
function read(text: string): ReadonlyMap<string, Metric> {
  const helps = new Map([...text.matchAll(/^# HELP (\S+) (.*)$/gm)].map(([, name, help]) => [name, help]))
  return new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = '', type = '']) => {
      if (/^(nodejs|process)_/.test(name)) return []
      const sample = new RegExp(`^${name}(?:_bucket)?(?:\\{(.*)\\})? \\S+$`, 'm').exec(text)
      const labels = [...(sample?.[1] ?? '').matchAll(/(\w+)="/g)].map(match => match[1])
      const shown = labels.filter(label => label !== 'le').sort()
      return [
        [name, { type, meaning: helps.get(name) ?? '', labels: sample ? shown.join(', ') : undefined }],
      ] as const
    }),
  )
}

const cells = (line: string): readonly string[] =>
  line
    .split('|')
    .slice(1, -1)
    .map(cell => cell.trim().replaceAll('`', ''))

/** The table of docs/metrics.md. */
const documented = readFileSync(join(root, 'docs', 'metrics.md'), 'utf8')
  .split('\n')
  .filter(line => /^\| `(carillon|metallb)_/.test(line))
  .map(line => {
    const [name = '', type = '', labels = '', where = '', meaning = ''] = cells(line)
    return { name, type, labels: labels.split(', ').filter(Boolean).sort().join(', '), where, meaning }
  })

const folder = mkdtempSync(join(tmpdir(), 'carillon-metrics-'))
const children: ChildProcess[] = []
const shown = new Map<Program, ReadonlyMap<string, Metric>>()
let server: KubeApiServer | undefined

async function start(program: Program, ...words: readonly string[]): Promise<number> {
  const port = await freePort()
  const http = ['--http', `127.0.0.1:${port}`, '--log-level', 'error']
  children.push(spawn(process.execPath, [bin, program, ...http, ...words], { stdio: 'inherit' }))
  return port
}

/** Asks until everything that is documented for the program is there, or it has had time enough. */
async function collect(program: Program, port: number): Promise<void> {
  const wanted = documented.filter(({ where }) => where.split(', ').includes(program))
  const end = performance.now() + 120_000
  for (;;) {
    const found = read((await ask(port, '/metrics')) ?? '')
    shown.set(program, found)
    const all = found.size > 0 && wanted.every(({ name }) => found.has(name))
    if (all || performance.now() > end) return
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

beforeAll(async () => {
  server = await KubeApiServer.start()
  await server.store.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  const crds = join(root, 'deploy', 'crds')
  for (const file of readdirSync(crds).filter(name => name.endsWith('.yaml'))) {
    const definition = parse(readFileSync(join(crds, file), 'utf8')) as NewObject & { spec: object }
    await server.store.create({ ...definition, spec: { ...definition.spec, conversion: undefined } })
  }
  for (const object of objects) await server.store.create(object)
  const kubeconfig = join(folder, 'kubeconfig')
  writeFileSync(kubeconfig, server.kubeconfig())
  const manifests = join(folder, 'manifests.yaml')
  writeFileSync(manifests, objects.map(object => `---\n${JSON.stringify(object)}\n`).join(''))

  const gossip = `127.0.0.1:${await freePort()}`
  const run = await start('run', '--manifests', manifests, '--node', 'node-a', '--gossip-bind', gossip)
  const cluster = ['--kubeconfig', kubeconfig, '--namespace', namespace]
  const ml = ['--ml-bindaddr', '127.0.0.1', '--ml-bindport', String(await freePort())]
  const found = ['--node-name', 'node-a', '--ml-labels', 'component=speaker']
  const speaker = await start('speaker', ...cluster, ...found, ...ml)
  const controller = await start('controller', ...cluster, '--webhook-port', String(await freePort()))
  await Promise.all([collect('run', run), collect('speaker', speaker), collect('controller', controller)])
})

afterAll(async () => {
  for (const child of children) child.kill('SIGKILL')
  await server?.[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

test('docs/metrics.md lists every metric of run, speaker and controller, and no others, with type and meaning', () => {
  const names = [...new Set([...shown.values()].flatMap(found => [...found.keys()]))].sort()
  const rows = names.map(name => {
    const where = programs.filter(program => shown.get(program)?.has(name))
    const { type = '', meaning = '' } = shown.get(where[0] as Program)?.get(name) ?? {}
    return `${name} | ${type} | ${where.join(', ')} | ${meaning}`
  })
  expect(documented.map(one => `${one.name} | ${one.type} | ${one.where} | ${one.meaning}`)).toEqual(rows)
})

test('docs/metrics.md names the labels that samples have', () => {
  const labels = new Map(documented.map(one => [one.name, one.labels.split(', ')]))
  for (const found of shown.values())
    for (const [name, metric] of found)
      for (const label of metric.labels?.split(', ') ?? []) expect(labels.get(name), name).toContain(label)
})
