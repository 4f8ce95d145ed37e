import type { ChildProcess, SpawnOptions } from 'node:child_process'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LabNet, type LabPort, type Outcome } from '@carillon/cli/lab'
import type { SpeakerStatus } from '@carillon/core'
import { Asker, type Heard } from './asker.ts'

/** The built program. */
export const bin = fileURLToPath(new URL('../../../packages/cli/bin/carillon.js', import.meta.url))

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

/** Asks again and again until the answer is not undefined; fails with `what` after `seconds`. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  seconds = 10,
): Promise<T> {
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await pause(25)
  }
  throw new Error(`${what}: did not happen within ${seconds} s`)
}

/** As `ip -j neigh` prints it. */
export interface NeighbourEntry {
  readonly lladdr?: string
  readonly state?: readonly string[]
}

interface RunningSpeaker {
  readonly process: ChildProcess
  readonly exit: Promise<number | null>
  log: string
}

/**
 * Nodes on one bridge that run the real program, and a client: `10.77.0.1` and `fd77::1`. Node number i (from 1) has
 * `10.77.0.1<i>` and `fd77::1<i>`; the file `cluster.yaml` is what all of them watch.
 */
export class SpeakerLab implements AsyncDisposable {
  readonly net: LabNet
  readonly nodes: readonly string[]
  readonly ports = new Map<string, LabPort>()
  readonly #speakers = new Map<string, RunningSpeaker>()
  readonly #askers = new Map<string, Asker>()
  folder = ''

  constructor(name: string, nodes: readonly string[]) {
    this.net = new LabNet(name)
    this.nodes = nodes
  }

  static async build(
    name: string,
    options: { readonly nodes?: readonly string[]; readonly manifests: string },
  ): Promise<SpeakerLab> {
    const lab = new SpeakerLab(name, options.nodes ?? ['node-a', 'node-b', 'node-c'])
    try {
      lab.folder = await mkdtemp(join(tmpdir(), 'carillon-test-'))
      await lab.edit(options.manifests)
      await lab.net.bridge('switch')
      await lab.net.host('client')
      lab.ports.set('client', await lab.net.join('switch', 'client', ['10.77.0.1/24', 'fd77::1/64']))
      for (const [i, node] of lab.nodes.entries()) {
        await lab.net.host(node)
        lab.ports.set(
          node,
          await lab.net.join('switch', node, [`10.77.0.1${i + 1}/24`, `fd77::1${i + 1}/64`]),
        )
      }
      return lab
    } catch (error) {
      await lab[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Starts `carillon run` on a node, or on all of them, and waits until each is ready. */
  async start(
    nodes: readonly string[] = this.nodes,
    args: readonly string[] = [],
    options: SpawnOptions = {},
  ): Promise<void> {
    for (const node of nodes) {
      const all = [bin, 'run', '--node', node, '--manifests', this.folder, ...args]
      const child = this.net.spawn(node, process.execPath, all, options)
      const exit = new Promise<number | null>(resolve => child.once('exit', code => resolve(code)))
      const speaker: RunningSpeaker = { process: child, exit, log: '' }
      const keep = (chunk: Buffer): void => {
        speaker.log += chunk.toString()
      }
      child.stdout?.on('data', keep)
      child.stderr?.on('data', keep)
      this.#speakers.set(node, speaker)
    }
    for (const node of nodes) {
      await eventually(`${node} runs`, () => this.status(node), 30).catch((error: Error) => {
        throw new Error(`${error.message}\n${this.log(node)}`)
      })
    }
  }

  /** Everything that a node's speaker has written. */
  log(node: string): string {
    return this.#speakers.get(node)?.log ?? ''
  }

  /** Sends a signal to a node's speaker. */
  async signal(node: string, signal: NodeJS.Signals): Promise<void> {
    const speaker = this.#speakers.get(node)
    // "ip netns exec" becomes the program, so that this is its process.
    if (speaker?.process.pid !== undefined) process.kill(speaker.process.pid, signal)
  }

  /** Process id of a node's speaker. */
  pid(node: string): number | undefined {
    return this.#speakers.get(node)?.process.pid
  }

  /** Ends a node's speaker and forgets it. */
  async stop(node: string): Promise<void> {
    await this.signal(node, 'SIGTERM')
    await this.exited(node)
    this.#speakers.delete(node)
  }

  /** Resolves with the exit code of a node's speaker. */
  exited(node: string): Promise<number | null> {
    return this.#speakers.get(node)?.exit ?? Promise.resolve(null)
  }

  /** Replaces a manifest file in one step. */
  async edit(text: string, file = 'cluster.yaml'): Promise<void> {
    const path = join(this.folder, file)
    await writeFile(`${path}.new`, text)
    await rename(`${path}.new`, path)
  }

  read(file = 'cluster.yaml'): Promise<string> {
    return readFile(join(this.folder, file), 'utf8')
  }

  /** What a node's speaker says of itself; undefined when none answers. */
  async status(node: string): Promise<SpeakerStatus | undefined> {
    const { code, text } = await this.ask(node, '/api/v1/status')
    return code === 200 ? (JSON.parse(text) as SpeakerStatus) : undefined
  }

  /** Asks a node's speaker over HTTP, from inside the node; code 0 when none answers. */
  ask(node: string, path: string): Promise<Heard> {
    let asker = this.#askers.get(node)
    if (!asker) {
      asker = new Asker(this.net, node)
      this.#askers.set(node, asker)
    }
    return asker.ask(path)
  }

  /** Sum of a metric of a node's speaker, over the label sets that contain `labels` (`ip="10.0.0.1"`). */
  async metric(node: string, name: string, labels = ''): Promise<number> {
    const { text } = await this.ask(node, '/metrics')
    const lines = text
      .split('\n')
      .filter(line => /^[{ ]/.test(line.slice(name.length)) && line.startsWith(name))
    const chosen = lines.filter(line => line.includes(labels))
    return chosen.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  }

  /** Waits until a node's status shows what `look` looks for. */
  whenStatus<T>(
    node: string,
    what: string,
    look: (status: SpeakerStatus) => T | undefined | false,
  ): Promise<T> {
    return eventually(`${node}: ${what}`, async () => {
      const status = await this.status(node)
      return (status && look(status)) || undefined
    })
  }

  /** Waits until every running speaker names the same owner of a Service (null: nobody), and `accept` accepts it. */
  async settled(service: string, accept: (owner: string | null) => boolean): Promise<string | null> {
    const { owner } = await eventually(`an owner of ${service}`, async () => {
      const found = await this.owner(service).catch(() => undefined)
      return found !== undefined && accept(found) ? { owner: found } : undefined
    })
    return owner
  }

  /** Runs the program inside a host. */
  carillon(host: string, ...args: readonly string[]): Promise<Outcome> {
    return this.net.exec(host, process.execPath, [bin, ...args])
  }

  client(command: string, ...args: readonly string[]): Promise<Outcome> {
    return this.net.exec('client', command, args)
  }

  /** MAC address of an interface of a host. */
  async mac(host: string, name = 'eth0'): Promise<string> {
    const text = await this.net.ipIn(host, '-j', 'link', 'show', name)
    const [link] = JSON.parse(text) as readonly { readonly address: string }[]
    return link?.address ?? ''
  }

  /** The MAC address that the client's kernel has for an address, once it has resolved it. */
  async neighbour(address: string): Promise<string | undefined> {
    const entry = await this.neighbourEntry(address)
    return entry?.state?.includes('FAILED') ? undefined : entry?.lladdr
  }

  /** The entry that the client's kernel has for an address. */
  async neighbourEntry(address: string): Promise<NeighbourEntry | undefined> {
    const text = await this.net.ipIn('client', '-j', 'neigh', 'show', address)
    return (JSON.parse(text.trim() || '[]') as readonly NeighbourEntry[])[0]
  }

  /** Every MAC address that answers the client's ARP requests for an address, which takes this many seconds. */
  async arping(address: string, seconds = 1): Promise<readonly string[]> {
    // With a count it would leave after the first answer, and never see a second station.
    const { stdout } = await this.client('arping', '-I', 'eth0', '-w', String(seconds), address)
    return [
      ...new Set([...stdout.matchAll(/\[([0-9A-F:]{17})\]/gi)].map(match => (match[1] ?? '').toLowerCase())),
    ]
  }

  /** Every MAC address that answers the client's neighbour solicitations for an address. */
  async ndisc(address: string): Promise<readonly string[]> {
    const { stdout } = await this.client('ndisc6', '-m', '-r', '1', '-w', '500', address, 'eth0')
    return [
      ...new Set(
        [...stdout.matchAll(/Target link-layer address:\s*([0-9A-F:]+)/gi)].map(match =>
          normal(match[1] ?? ''),
        ),
      ),
    ]
  }

  /** The node that owns an address, as every running speaker says; fails when they do not agree. */
  async owner(service: string): Promise<string | null> {
    const owners = new Set<string | null>()
    for (const node of this.#speakers.keys()) {
      const status = await this.status(node)
      const found = status?.services.find(one => `${one.namespace}/${one.name}` === service)
      if (status) owners.add(found?.owner ?? null)
    }
    if (owners.size > 1)
      throw new Error(`nodes disagree on the owner of ${service}: ${[...owners].join(', ')}`)
    return [...owners][0] ?? null
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.net[Symbol.asyncDispose]()
    if (this.folder !== '') await rm(this.folder, { recursive: true, force: true })
  }
}

/** ndisc6 leaves leading zeros out of a MAC address. */
const normal = (mac: string): string =>
  mac
    .toLowerCase()
    .split(':')
    .map(part => part.padStart(2, '0'))
    .join(':')
