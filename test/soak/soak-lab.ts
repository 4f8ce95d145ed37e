import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LabNet, type LabPort } from '@carillon/cli/lab'
import { ArpAsker } from './arp-asker.ts'
import type { SourceName } from './fault.ts'
import { FileSource } from './file-source.ts'
import { KubeSource } from './kube-source.ts'
import { SoakNode } from './soak-node.ts'
import { SoakProcess } from './soak-process.ts'
import { SoakRouter } from './soak-router.ts'
import type { SoakSource } from './soak-source.ts'
import { router, usual, type Wanted } from './wanted.ts'

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
  #scratch = ''
  #source: SoakSource | undefined
  #router: SoakRouter | undefined
  #asker: ArpAsker | undefined

  static readonly names: readonly string[] = names

  static async build(source: SourceName): Promise<SoakLab> {
    const lab = new SoakLab()
    try {
      await lab.#build(source)
      return lab
    } catch (error) {
      await lab[Symbol.asyncDispose]()
      throw error
    }
  }

  async #build(source: SourceName): Promise<void> {
    this.#scratch = await mkdtemp(join(tmpdir(), 'carillon-soak-'))
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
      const process = await SoakProcess.on(net, name, name, this.#scratch)
      const [link] = JSON.parse(await net.ipIn(name, '-j', 'link', 'show', 'eth0')) as [{ address: string }]
      this.nodes.set(name, new SoakNode(net, process, { address, mac: link.address }))
    }
    this.#source =
      source === 'files'
        ? new FileSource(this)
        : await KubeSource.start(this, 'client', client, this.#scratch)
    await this.#source.want(this.wanted)
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

  get source(): SoakSource {
    if (!this.#source) throw new Error('the lab is not built')
    return this.#source
  }

  get router(): SoakRouter {
    if (!this.#router) throw new Error('the lab is not built')
    return this.#router
  }

  /** All speakers, and what else of Carillon runs. */
  get processes(): readonly SoakProcess[] {
    return [...[...this.nodes.values()].map(({ process }) => process), ...(this.#source?.processes ?? [])]
  }

  /** Those that are to do their work at present. */
  get living(): readonly SoakNode[] {
    return [...this.nodes.values()].filter(({ name }) => !this.away.has(name))
  }

  start(node: SoakNode): void {
    node.process.start([...this.source.words(node.name), '--garp-count', '2'])
  }

  /** Asks for something else. */
  async want(wanted: Wanted): Promise<void> {
    this.wanted = wanted
    await this.source.want(wanted)
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
    for (const { process } of this.nodes.values()) await process[Symbol.asyncDispose]()
    await this.#source?.[Symbol.asyncDispose]()
    await this.net[Symbol.asyncDispose]()
    if (this.#scratch !== '') await rm(this.#scratch, { recursive: true, force: true })
  }
}
