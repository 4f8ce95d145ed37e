import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LabNet, type LabPort } from '@carillon/cli/lab'
import { ArpAsker } from './arp-asker.ts'
import { SoakNode } from './soak-node.ts'
import { SoakRouter } from './soak-router.ts'
import { manifestsOf, router, usual, type Wanted } from './wanted.ts'

const crowd = fileURLToPath(new URL('./support/crowd.py', import.meta.url))
const names = ['node-a', 'node-b', 'node-c', 'node-d', 'node-e']
const client = '10.77.0.1'

/** Five nodes, a router and a client on one bridge. */
export class SoakLab implements AsyncDisposable {
  readonly net: LabNet = new LabNet('soak')
  readonly nodes = new Map<string, SoakNode>()
  readonly ports = new Map<string, LabPort>()
  /** What is asked for at present. */
  wanted: Wanted = usual(names)
  /** Nodes that cannot do their work at present, and why. */
  readonly away = new Map<string, string>()
  #folder = ''
  #scratch = ''
  #router: SoakRouter | undefined
  #asker: ArpAsker | undefined

  static readonly names: readonly string[] = names

  static async build(): Promise<SoakLab> {
    const lab = new SoakLab()
    try {
      await lab.#build()
      return lab
    } catch (error) {
      await lab[Symbol.asyncDispose]()
      throw error
    }
  }

  async #build(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'carillon-soak-'))
    this.#scratch = await mkdtemp(join(tmpdir(), 'carillon-soak-'))
    await this.edit(manifestsOf(this.wanted, names))
    const { net } = this
    await net.bridge('switch')
    await net.host('client')
    await net.join('switch', 'client', [`${client}/16`])
    await net.host('router')
    await net.join('switch', 'router', [`${router.address}/24`])
    for (const [i, name] of names.entries()) {
      const address = `10.77.0.1${i + 1}`
      await net.host(name)
      this.ports.set(name, await net.join('switch', name, [`${address}/24`]))
      const node = new SoakNode(net, name, address, this.#folder, this.#scratch)
      const [link] = JSON.parse(await net.ipIn(name, '-j', 'link', 'show', 'eth0')) as [{ address: string }]
      node.mac = link.address
      this.nodes.set(name, node)
    }
    this.#router = new SoakRouter(net, 'router', this.#scratch, [...this.nodes.values()])
    await this.#router.start()
    this.#asker = new ArpAsker(net, 'client', client)
    for (const node of this.nodes.values()) this.start(node)
  }

  node(name: string): SoakNode {
    const node = this.nodes.get(name)
    if (!node) throw new Error(`the lab has no ${name}`)
    return node
  }

  port(name: string): LabPort {
    const port = this.ports.get(name)
    if (!port) throw new Error(`the lab has no ${name}`)
    return port
  }

  get router(): SoakRouter {
    if (!this.#router) throw new Error('the lab is not built')
    return this.#router
  }

  /** Those that are to do their work at present. */
  get living(): readonly SoakNode[] {
    return [...this.nodes.values()].filter(({ name }) => !this.away.has(name))
  }

  start(node: SoakNode): void {
    node.start([...this.nodes.values()].filter(other => other !== node).map(({ address }) => address))
  }

  /** Writes the manifests anew, in one step, or as a full disk does, with what has been written so far. */
  async edit(text: string, inOneStep = true): Promise<void> {
    const path = join(this.#folder, 'cluster.yaml')
    if (!inOneStep) return writeFile(path, text)
    await writeFile(`${path}.new`, text)
    await rename(`${path}.new`, path)
  }

  /** Connects to a node's gossip many times, and holds the connections. */
  crowd(node: SoakNode, seconds: number): void {
    const words = [crowd, node.address, '7946', '300', String(seconds)]
    this.net.spawn('client', 'python3', words, { stdio: 'ignore' })
  }

  /** Every MAC address that answers the client for each of these. */
  ask(addresses: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
    if (!this.#asker) throw new Error('the lab is not built')
    return this.#asker.ask(addresses)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes.values()) if (node.pid !== undefined) await node.end('SIGKILL')
    await this.net[Symbol.asyncDispose]()
    for (const folder of [this.#folder, this.#scratch])
      if (folder !== '') await rm(folder, { recursive: true, force: true })
  }
}
