import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bin, eventually, SpeakerLab } from './speaker-lab.ts'

const apiServer = fileURLToPath(new URL('../programs/api-server.mjs', import.meta.url))

/** The namespace of Carillon in the cluster. */
export const system = 'metallb-system'

/** Manifests of objects in Carillon's own namespace. */
export const inSystem = (text: string): string =>
  text
    .replaceAll('metadata: { name:', `metadata: { namespace: ${system}, name:`)
    .replaceAll(/"metadata":\{(?="name")/g, `"metadata":{"namespace":"${system}",`)

/** Manifests of objects in the namespace `default`. */
export const inDefault = (text: string): string =>
  text.replaceAll('metadata:\n  name:', 'metadata:\n  namespace: default\n  name:')

/** A Pod of a speaker, by which the others find it. */
export const pod = (name: string, address: string): string => `---
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: ${system}, labels: { component: speaker } }
spec: { containers: [{ name: speaker, image: carillon }] }
status: { phase: Running, podIP: ${address} }
`

/** A process of the lab, and everything that those of its name have written. */
interface Started {
  readonly child: ChildProcess
  readonly exit: Promise<number | null>
}

/**
 * A Kubernetes cluster in namespaces: an API server for tests and two controllers beside the client, a speaker on each node, all of
 * them the real programs.
 */
export class KubeLab implements AsyncDisposable {
  readonly speakers: SpeakerLab
  readonly nodes: readonly string[]
  readonly #processes = new Map<string, Started>()
  readonly #logs = new Map<string, string>()
  #macs: ReadonlyMap<string, string> | undefined

  private constructor(speakers: SpeakerLab, nodes: readonly string[]) {
    this.speakers = speakers
    this.nodes = nodes
  }

  /** Resolves when the API server holds `objects`; nothing else runs yet. */
  static async build(name: string, nodes: readonly string[], objects: readonly string[]): Promise<KubeLab> {
    const lab = new KubeLab(await SpeakerLab.build(name, { nodes, manifests: '' }), nodes)
    try {
      const { folder } = lab.speakers
      await mkdir(join(folder, 'secret'))
      await writeFile(join(folder, 'secret', 'secretkey'), 'A'.repeat(22))
      const all = [
        `---\napiVersion: v1\nkind: Namespace\nmetadata: { name: ${system} }\n`,
        ...nodes.map(node => pod(`speaker-${node}`, lab.addressOf(node))),
        ...objects,
      ]
      await writeFile(join(folder, 'objects.yaml'), all.join(''))
      lab.#start('api', 'client', apiServer, '10.77.0.1', folder, join(folder, 'objects.yaml'))
      const ready = (): true | undefined => existsSync(join(folder, 'kubeconfig')) || undefined
      await eventually('the API server runs', ready, 60)
      return lab
    } catch (error) {
      await lab[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Whether a process of this name was started, and not ended by us: `controller-<number>`, or the speaker of a node. */
  runs(name: string): boolean {
    return this.#processes.has(name)
  }

  /** Address of a node. */
  addressOf(node: string): string {
    return `10.77.0.1${this.nodes.indexOf(node) + 1}`
  }

  /** Names of the nodes on which a speaker runs. */
  get running(): readonly string[] {
    return this.nodes.filter(node => this.#processes.has(node))
  }

  log(name: string): string {
    return this.#logs.get(name) ?? ''
  }

  /** Starts a controller beside the client; its number, from 0, gives it a port of its own. */
  controller(number: number, ...args: readonly string[]): void {
    const own = ['--http', `127.0.0.1:${7480 + number}`, '--webhook-mode', 'disabled']
    this.#start(`controller-${number}`, 'client', bin, 'controller', ...this.#cluster, ...own, ...args)
  }

  /** Starts the speaker of a node. */
  speaker(node: string, ...args: readonly string[]): void {
    const own = ['--node-name', node, '--pod-name', `speaker-${node}`, '--ml-labels', 'component=speaker']
    const gossip = ['--ml-bindaddr', this.addressOf(node)]
    const secret = ['--ml-secret-key-path', join(this.speakers.folder, 'secret')]
    this.#start(node, node, bin, 'speaker', ...this.#cluster, ...own, ...gossip, ...secret, ...args)
  }

  /** Ends `controller-<number>`, or the speaker of a node; gives its exit code. */
  async end(name: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    const started = this.#processes.get(name)
    if (!started) throw new Error(`${name} does not run`)
    this.#processes.delete(name)
    started.child.kill(signal)
    return started.exit
  }

  /** Gives the speakers that are started from now on the gossip's Secret, as kubelet does, once it is there; gives its text. */
  async mountSecret(name: string): Promise<string> {
    const words = ['get', 'secret', name, '-n', system, '-o', 'jsonpath={.data.secretkey}']
    const data = await eventually(
      `there is a Secret ${name}`,
      async () => (await this.kubectl(...words).catch(() => '')) || undefined,
      30,
    )
    const text = Buffer.from(data, 'base64').toString()
    await writeFile(join(this.speakers.folder, 'secret', 'secretkey'), text)
    return text
  }

  /** The controller that decides, as the Lease says: `controller-<number>`. */
  async leader(): Promise<string> {
    const lease = ['get', 'lease', 'carillon-controller', '-n', system]
    return eventually(
      'a controller leads',
      async () => {
        const holder = await this.kubectl(...lease, '-o', 'jsonpath={.spec.holderIdentity}').catch(() => '')
        const names = [...this.#processes.keys()].filter(name => name.startsWith('controller-'))
        return holder === '' ? undefined : names.find(name => this.log(name).includes(holder))
      },
      30,
    )
  }

  /** The API server goes away: every connection ends, and new ones are refused. */
  async apiDown(): Promise<void> {
    await this.#tellApi('SIGUSR2', 'down')
  }

  /** It is back, with all that it had; where it was not away, nothing happens. */
  async apiUp(): Promise<void> {
    await this.#tellApi('SIGHUP', 'up')
  }

  async #tellApi(signal: NodeJS.Signals, answer: string): Promise<void> {
    const said = this.log('api').length
    this.#processes.get('api')?.child.kill(signal)
    await eventually(`the API server is ${answer}`, () =>
      this.log('api').includes(`${answer}\n`, said) ? true : undefined,
    )
  }

  /** Runs kubectl beside the client; fails with what it says. */
  async kubectl(...words: readonly string[]): Promise<string> {
    const config = join(this.speakers.folder, 'kubeconfig')
    const { stdout, stderr, code } = await this.speakers.client('kubectl', '--kubeconfig', config, ...words)
    if (code !== 0) throw new Error(stderr)
    return stdout.trim()
  }

  /** Makes objects as the manifests say. */
  async apply(...text: readonly string[]): Promise<void> {
    const file = join(this.speakers.folder, 'more.yaml')
    await writeFile(file, text.join(''))
    await this.kubectl('apply', '--validate=false', '-f', file)
  }

  /** Lets a node say of itself whether it is ready, as kubelet does; `Unknown` where nothing is heard of it. */
  async ready(node: string, status: 'True' | 'False' | 'Unknown'): Promise<void> {
    const object = JSON.parse(await this.kubectl('get', 'node', node, '-o', 'json'))
    const conditions = [{ type: 'Ready', status, reason: 'Lab', message: '' }]
    const file = join(this.speakers.folder, 'node.json')
    await writeFile(file, JSON.stringify({ ...object, status: { ...object.status, conditions } }))
    await this.kubectl('replace', '--raw', `/api/v1/nodes/${node}/status`, '-f', file)
  }

  /** The addresses in the status of a Service. */
  async addresses(service: string): Promise<readonly string[]> {
    const path = 'jsonpath={.status.loadBalancer.ingress[*].ip}'
    return (await this.kubectl('get', 'service', service, '-o', path)).split(' ').filter(Boolean)
  }

  /** Waits until a Service has so many addresses. */
  given(service: string, count = 1): Promise<readonly string[]> {
    return eventually(
      `${service} has ${count} addresses`,
      async () => {
        const all = await this.addresses(service)
        return all.length === count ? all : undefined
      },
      40,
    )
  }

  /** Which nodes answer for an address, by ARP or by neighbour discovery. */
  async answering(address: string): Promise<readonly string[]> {
    const { speakers, nodes } = this
    this.#macs ??= new Map(
      await Promise.all(nodes.map(async name => [await speakers.mac(name), name] as const)),
    )
    const heard = await (address.includes(':') ? speakers.ndisc(address) : speakers.arping(address))
    return heard.map(mac => this.#macs?.get(mac) ?? mac)
  }

  /** Waits until exactly one node answers for an address, and `accept` accepts it. */
  answeredBy(address: string, accept: (node: string) => boolean = () => true): Promise<string> {
    return eventually(
      `one node answers for ${address}`,
      async () => {
        const [name, ...others] = await this.answering(address)
        return name !== undefined && others.length === 0 && accept(name) ? name : undefined
      },
      40,
    )
  }

  /** Waits until nobody answers for an address. */
  async silent(address: string): Promise<void> {
    await eventually(`nobody answers for ${address}`, async () =>
      (await this.answering(address)).length === 0 ? true : undefined,
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of [...this.#processes.keys()]) await this.end(name, 'SIGKILL')
    await this.speakers[Symbol.asyncDispose]()
  }

  get #cluster(): readonly string[] {
    return ['--kubeconfig', join(this.speakers.folder, 'kubeconfig'), '--namespace', system]
  }

  #start(name: string, host: string, ...words: readonly string[]): void {
    const child = this.speakers.net.spawn(host, process.execPath, words)
    const keep = (chunk: Buffer): void => {
      this.#logs.set(name, this.log(name) + chunk.toString())
    }
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    const exit = new Promise<number | null>(resolve => child.once('exit', code => resolve(code)))
    this.#processes.set(name, { child, exit })
  }
}
