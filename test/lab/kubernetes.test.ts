import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { endpoints, l2, node, pool, service } from './support/manifests.ts'
import { describeLab } from './support/needs.ts'
import { bin, eventually, SpeakerLab } from './support/speaker-lab.ts'

const apiServer = fileURLToPath(new URL('./programs/api-server.mjs', import.meta.url))
const nodes = ['node-a', 'node-b', 'node-c'] as const
const own = (text: string): string =>
  text.replaceAll('metadata: { name:', 'metadata: { namespace: metallb-system, name:')
const inDefault = (text: string): string =>
  text.replaceAll('metadata:\n  name:', 'metadata:\n  namespace: default\n  name:')

const pod = (name: string, address: string): string => `---
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: metallb-system, labels: { component: speaker } }
spec: { containers: [{ name: speaker, image: carillon }] }
status: { phase: Running, podIP: ${address} }
`

const objects = [
  `---
apiVersion: v1
kind: Namespace
metadata: { name: metallb-system }
`,
  ...nodes.map(name => node(name)),
  ...nodes.map((name, i) => pod(`speaker-${name}`, `10.77.0.1${i + 1}`)),
  own(pool('lan', '10.77.0.100-10.77.0.120')),
  own(l2('all')),
  inDefault(service('web')),
  inDefault(endpoints('web', ...nodes)),
].join('')

describeLab('in a Kubernetes cluster', ['kubectl', 'arping'], () => {
  let lab: SpeakerLab
  const processes = new Map<string, ChildProcess>()
  const logs = new Map<string, string>()

  const start = (name: string, host: string, ...words: readonly string[]): void => {
    const child = lab.net.spawn(host, process.execPath, words)
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk: Buffer) => logs.set(name, `${logs.get(name) ?? ''}${chunk}`))
    processes.set(name, child)
  }
  const end = async (name: string, signal: NodeJS.Signals): Promise<void> => {
    const child = processes.get(name)
    processes.delete(name)
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const gone = new Promise(resolve => child.once('exit', resolve))
    child.kill(signal)
    await gone
  }
  const cluster = (): readonly string[] => [
    '--kubeconfig',
    join(lab.folder, 'kubeconfig'),
    '--namespace',
    'metallb-system',
  ]
  const startController = (name: string, port: number): void =>
    start(
      name,
      'client',
      bin,
      'controller',
      ...cluster(),
      '--http',
      `127.0.0.1:${port}`,
      '--webhook-mode',
      'disabled',
    )
  const startSpeaker = (name: string): void =>
    start(
      name,
      name,
      bin,
      'speaker',
      ...cluster(),
      ...['--node-name', name, '--pod-name', `speaker-${name}`, '--ml-labels', 'component=speaker'],
      ...['--ml-bindaddr', `10.77.0.1${nodes.indexOf(name as 'node-a') + 1}`],
      ...['--ml-secret-key-path', join(lab.folder, 'secret')],
    )
  const startApi = (): void =>
    start('api', 'client', apiServer, '10.77.0.1', lab.folder, join(lab.folder, 'objects.yaml'))
  /** Takes the API server down. */
  const takeApiDown = (): void => {
    processes.get('api')?.kill('SIGUSR2')
  }
  const kubectl = async (...words: readonly string[]): Promise<string> => {
    const { stdout, stderr, code } = await lab.client(
      'kubectl',
      '--kubeconfig',
      join(lab.folder, 'kubeconfig'),
      ...words,
    )
    if (code !== 0) throw new Error(stderr)
    return stdout.trim()
  }
  const addressOf = (name: string): Promise<string> =>
    kubectl('get', 'service', name, '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}')
  const given = (name: string): Promise<string> =>
    eventually(`${name} has an address`, async () => (await addressOf(name)) || undefined, 20)
  /** Which nodes answer for an address. */
  const answering = async (address: string): Promise<readonly string[]> => {
    const heard = await lab.arping(address)
    const macs = new Map(await Promise.all(nodes.map(async name => [await lab.mac(name), name] as const)))
    return heard.map(mac => macs.get(mac) ?? mac)
  }
  const answeredBy = (address: string, accept: (names: readonly string[]) => boolean): Promise<string> =>
    eventually(
      `somebody answers for ${address}`,
      async () => {
        const names = await answering(address)
        return names.length === 1 && accept(names) ? names[0] : undefined
      },
      20,
    )
  const create = async (...text: readonly string[]): Promise<void> => {
    const file = join(lab.folder, 'more.yaml')
    await writeFile(file, text.map(inDefault).join(''))
    await kubectl('apply', '--validate=false', '-f', file)
  }

  beforeAll(async () => {
    lab = await SpeakerLab.build('kube', { nodes: [...nodes], manifests: '' })
    await mkdir(join(lab.folder, 'secret'))
    await writeFile(join(lab.folder, 'secret', 'secretkey'), 'A'.repeat(22))
    await writeFile(join(lab.folder, 'objects.yaml'), objects)
    startApi()
    await eventually('the API server runs', () => existsSync(join(lab.folder, 'kubeconfig')) || undefined, 30)
    startController('one', 7480)
    startController('two', 7481)
    for (const name of nodes) startSpeaker(name)
  })
  afterAll(async () => {
    for (const name of [...processes.keys()]) await end(name, 'SIGKILL')
    await lab[Symbol.asyncDispose]()
  })

  it('a Service gets an address, and the node that Kubernetes is told of answers for it', async () => {
    const address = await given('web')
    expect(address).toBe('10.77.0.100')
    const owner = await answeredBy(address, () => true)
    await eventually('Kubernetes is told of the owner', async () => {
      const told = await kubectl(
        'get',
        'servicel2statuses',
        '-n',
        'metallb-system',
        '-o',
        'jsonpath={.items[*].status.node}',
      )
      return told === owner || undefined
    })
    const states = await kubectl(
      'get',
      'configurationstates',
      '-n',
      'metallb-system',
      '-o',
      'jsonpath={.items[*].status.result}',
    )
    expect(new Set(states.split(' '))).toEqual(new Set(['Valid']))
  })

  it('another controller goes on when the leader is killed, and gives no address twice', async () => {
    const holder = await kubectl(
      'get',
      'lease',
      'carillon-controller',
      '-n',
      'metallb-system',
      '-o',
      'jsonpath={.spec.holderIdentity}',
    )
    const leader =
      logs.get('one')?.includes(holder) && logs.get('one')?.includes('this process leads') ? 'one' : 'two'
    await end(leader, 'SIGTERM')
    await create(service('shop'), endpoints('shop', ...nodes))
    expect(await given('shop')).toBe('10.77.0.101')
    await answeredBy('10.77.0.101', () => true)
  })

  it('an address moves when its node dies, also while the API server is away', async () => {
    const owner = await answeredBy('10.77.0.100', () => true)
    takeApiDown()
    await end(owner, 'SIGKILL')
    await answeredBy('10.77.0.100', ([name]) => name !== owner)
  })

  it('a speaker ends within two seconds when it is told to', async () => {
    const [name] = [...processes.keys()].filter(one => one.startsWith('node-'))
    const from = performance.now()
    await end(name as string, 'SIGTERM')
    expect(performance.now() - from).toBeLessThan(2500)
  })
})
