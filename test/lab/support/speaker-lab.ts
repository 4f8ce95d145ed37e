import type { ChildProcess } from 'node:child_process'
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LabNet, type LabPort, type Outcome } from '@carillon/cli/lab'
import type { SpeakerStatus } from '@carillon/core'
import { missing } from '../../support/missing.ts'

const bin = fileURLToPath(new URL('../../../packages/cli/bin/carillon.js', import.meta.url))

/** Why labs cannot run here, or nothing where they can. */
export function noLab(...commands: readonly string[]): string | undefined {
  if (process.platform !== 'linux') return 'needs Linux'
  if (process.getuid?.() !== 0) return 'needs root, for network namespaces'
  return missing('ip', ...commands)
}

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
  async start(nodes: readonly string[] = this.nodes, args: readonly string[] = []): Promise<void> {
    for (const node of nodes) {
      const all = [bin, 'run', '--node', node, '--manifests', this.folder, ...args]
      const child = this.net.spawn(node, process.execPath, all)
      const exit = new Promise<number | null>(resolve => child.once('exit', code => resolve(code)))
      const speaker: RunningSpeaker = { process: child, exit, log: '' }
      const keep = (chunk: Buffer): void => {
        speaker.log += chunk.toString()
      }
      child.stdout?.on('data', keep)
      child.stderr?.on('data', keep)
      this.#speakers.set(node, speaker)
    }
    for (const node of nodes) await eventually(`${node} runs: ${this.log(node)}`, () => this.status(node))
  }

  /** Everything that a node's speaker has written. */
  log(node: string): string {
    return this.#speakers.get(node)?.log ?? ''
  }

  /** Sends a signal to a node's speaker. */
  async signal(node: string, signal: NodeJS.Signals): Promise<void> {
    const speaker = this.#speakers.get(node)
    const [pid] = speaker?.process.pid === undefined ? [] : [speaker.process.pid]
    if (pid !== undefined) process.kill(pid, signal)
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
    const { code, stdout } = await this.carillon(node, 'status', '--json')
    return stdout.startsWith('{') && code <= 1 ? (JSON.parse(stdout) as SpeakerStatus) : undefined
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
    const text = await this.net.ipIn('client', '-j', 'neigh', 'show', address)
    const entries = JSON.parse(text || '[]') as readonly {
      readonly lladdr?: string
      readonly state?: readonly string[]
    }[]
    return entries.find(entry => entry.lladdr !== undefined && !entry.state?.includes('FAILED'))?.lladdr
  }

  /** Every MAC address that answers the client's ARP requests for an address. */
  async arping(address: string, count = 3): Promise<readonly string[]> {
    const { stdout } = await this.client(
      'arping',
      '-I',
      'eth0',
      '-c',
      String(count),
      '-w',
      String(count + 1),
      address,
    )
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
