import { type ChildProcess, execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { env, execPath } from 'node:process'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { execute } from '@carillon/cli/lab'
import { Segment } from './segment.ts'

/** A program that is a member of a gossip cluster and prints what it notices, an event as a JSON line. */
export interface MemberKind {
  readonly name: string
  /** The command of one member. */
  command(member: {
    readonly name: string
    readonly address: string
    readonly join: string
  }): readonly string[]
}

const root = (path: string): string => fileURLToPath(new URL(`../../../../${path}`, import.meta.url))

/** `carillon gossip`. */
export const carillonMember = (profile: 'fast' | 'lan'): MemberKind => ({
  name: profile,
  command: ({ name, address, join: first }) => {
    const words = ['--name', name, '--bind', address, '--join', first, '--profile', profile]
    return [execPath, root('packages/cli/bin/carillon.js'), 'gossip', ...words]
  },
})

/** Go's memberlist with its LAN values, built into a folder; undefined where Go or the library is not installed. */
export function memberlistMember(folder: string): MemberKind | undefined {
  if (!existsSync('/usr/share/gocode/src/github.com/hashicorp/memberlist')) return undefined
  const program = join(folder, 'memberlist-peer')
  try {
    execFileSync('go', ['build', '-o', program, '.'], {
      cwd: root('test/interop/memberlist-peer'),
      env: {
        ...env,
        GO111MODULE: 'off',
        GOPATH: '/usr/share/gocode',
        GOCACHE: root('node_modules/.cache/carillon/go'),
      },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return {
    name: 'Go memberlist',
    command: ({ name, address, join: first }) => [
      program,
      ...['-name', name, '-bind', address, '-profile', 'lan', '-bare', '-join', `${first}:7946`],
    ],
  }
}

/** What one member used, on average. */
export interface Usage {
  /** Of one core. */
  readonly cpuPercent: number
  /** Sent, with the headers of Ethernet, IP and UDP or TCP. */
  readonly bytesPerSecond: number
  readonly packetsPerSecond: number
}

interface Counters {
  readonly at: number
  readonly cpuNs: number
  readonly bytes: number
  readonly packets: number
}

interface Noticed {
  readonly event: string
  readonly name?: string
}

/** Members of one kind on a segment of their own, that know each other. */
export class MemberCluster implements AsyncDisposable {
  readonly segment: Segment
  readonly #members: ChildProcess[] = []
  readonly #noticed = new Map<string, number>()
  readonly #met = new Set<string>()

  private constructor(segment: Segment) {
    this.segment = segment
  }

  static async build(label: string, kind: MemberKind, count: number): Promise<MemberCluster> {
    const cluster = new MemberCluster(await Segment.build(label, count))
    try {
      await cluster.#start(kind)
      return cluster
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
  }

  async #start(kind: MemberKind): Promise<void> {
    const { nodes } = this.segment
    for (const { name, address } of nodes) {
      const other = nodes.find(node => node.name !== name)?.address ?? address
      // The first is there before the others look for it.
      const first = nodes[0]?.address === address ? other : (nodes[0]?.address ?? other)
      const member = this.segment.spawn(name, kind.command({ name, address, join: first }), true)
      this.#members.push(member)
      if (member.stdout) createInterface(member.stdout).on('line', line => this.#read(name, line))
      await pause(300)
    }
    const all = nodes.length ** 2
    for (let waited = 0; this.#met.size < all && waited < 30_000; waited += 100) await pause(100)
    if (this.#met.size < all) throw new Error(`${kind.name}: the members did not find each other within 30 s`)
  }

  #read(by: string, line: string): void {
    if (!line.startsWith('{')) return
    const { event, name } = JSON.parse(line) as Noticed
    this.#noticed.set(event, (this.#noticed.get(event) ?? 0) + 1)
    if (event === 'join' && name !== undefined) this.#met.add(`${by} ${name}`)
  }

  /** How often the members, taken together, noticed an event. */
  noticed(event: string): number {
    return this.#noticed.get(event) ?? 0
  }

  /** Drops this part of the UDP packets that reach each member. */
  async drop(percent: number): Promise<void> {
    const rules = `table inet bench {
  chain incoming {
    type filter hook input priority 0
    meta l4proto udp numgen random mod 100 < ${percent} drop
  }
}
`
    for (const { name } of this.segment.nodes) {
      const args = ['netns', 'exec', this.segment.net.namespace(name), 'nft', '-f', '-']
      const { code, stderr } = await execute('ip', args, rules)
      if (code !== 0) throw new Error(`nft in ${name}: ${stderr.trim()}`)
    }
  }

  /** What the members use while nothing happens for so many seconds. */
  async usage(seconds: number): Promise<Usage> {
    const before = await this.#counters()
    await pause(seconds * 1000)
    const after = await this.#counters()
    const span = (after.at - before.at) / 1000
    const members = this.#members.length
    return {
      cpuPercent: (after.cpuNs - before.cpuNs) / 1e7 / span / members,
      bytesPerSecond: (after.bytes - before.bytes) / span / members,
      packetsPerSecond: (after.packets - before.packets) / span / members,
    }
  }

  async #counters(): Promise<Counters> {
    let [cpuNs, bytes, packets] = [0, 0, 0]
    for (const member of this.#members) cpuNs += cpuOf(member.pid as number)
    for (const { name } of this.segment.nodes) {
      const text = await this.segment.net.ipIn(name, '-s', '-j', 'link', 'show', 'eth0')
      const [link] = JSON.parse(text) as readonly { readonly stats64: { readonly tx: Sent } }[]
      bytes += link?.stats64.tx.bytes ?? 0
      packets += link?.stats64.tx.packets ?? 0
    }
    return { at: performance.now(), cpuNs, bytes, packets }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.segment[Symbol.asyncDispose]()
  }
}

interface Sent {
  readonly bytes: number
  readonly packets: number
}

/** Nanoseconds that the threads of a process have run. */
function cpuOf(pid: number): number {
  let ns = 0
  for (const task of readdirSync(`/proc/${pid}/task`))
    ns += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0])
  return ns
}
