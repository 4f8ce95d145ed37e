import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath, getuid, pid } from 'node:process'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { BenchResult } from './support/result.ts'

const client = `bench-start-client-${pid}`
const server = `bench-start-server-${pid}`
const bin = fileURLToPath(new URL('../../../packages/cli/bin/carillon.js', import.meta.url))
const runs = 10

const setUp = `
  ip netns add ${client}
  ip netns add ${server}
  ip netns exec ${server} sysctl -qw net.ipv6.conf.default.accept_dad=0
  ip -n ${server} link set lo up
  ip -n ${client} link add eth0 type veth peer name eth0 netns ${server}
  ip -n ${client} link set eth0 up
  ip -n ${server} link set eth0 up
  ip -n ${server} addr add 10.79.0.2/16 dev eth0
`

const address = (i: number): string => `10.79.1.${i + 1}`

const manifests = (count: number): string =>
  [
    `apiVersion: metallb.io/v1beta1
kind: IPAddressPool
metadata: { name: lan }
spec: { addresses: [10.79.1.0/24] }
---
apiVersion: metallb.io/v1beta1
kind: L2Advertisement
metadata: { name: all }
`,
    ...Array.from(
      { length: count },
      (_, i) => `---
apiVersion: v1
kind: Service
metadata:
  name: web-${i}
  annotations: { metallb.io/loadBalancerIPs: ${address(i)} }
spec: { type: LoadBalancer, ports: [{ port: 80 }] }
`,
    ),
  ].join('')

const inside = (host: string, command: string, ...args: readonly string[]): readonly [string, string[]] => [
  'ip',
  ['netns', 'exec', host, command, ...args],
]

const ended = (child: ChildProcess): Promise<void> =>
  new Promise(resolve => (child.exitCode === null ? child.once('exit', () => resolve()) : resolve()))

/** The wire as the client sees it: when an announcement of ours came by. */
class Wire {
  readonly #process: ChildProcess
  #next: ((at: number) => void) | undefined

  constructor() {
    const words = ['-l', '-n', '-tt', '--immediate-mode', '-i', 'eth0', 'arp']
    this.#process = spawn(...inside(client, 'tcpdump', ...words), { stdio: ['ignore', 'pipe', 'pipe'] })
    if (!this.#process.stdout) return
    createInterface(this.#process.stdout).on('line', line => {
      if (!line.includes('10.79.1.')) return
      const at = Number(line.split(' ')[0]) * 1000
      this.#next?.(at)
    })
  }

  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#process.stderr?.on('data', (text: Buffer) => {
        if (text.includes('listening on')) resolve()
      })
      this.#process.once('exit', code => reject(new Error(`tcpdump ended with ${code}`)))
    })
  }

  /** When the next announcement comes by, in milliseconds since 1970 on the kernel's clock. */
  announcement(): Promise<number> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('no announcement within 20 s')), 20_000)
      this.#next = at => {
        clearTimeout(late)
        this.#next = undefined
        resolve(at)
      }
    })
  }

  async close(): Promise<void> {
    this.#process.kill('SIGKILL')
    await ended(this.#process)
  }
}

function start(folder: string): ChildProcess {
  const words = [bin, 'run', '--node', 'node-a', '--manifests', folder, '--log-level', 'warn']
  // `ip netns exec` becomes the program, so that its process is the speaker.
  return spawn(...inside(server, execPath, ...words), { stdio: ['ignore', 'ignore', 'inherit'] })
}

function megabytes(child: ChildProcess): number {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return (Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024) / 1e6
}

/** What `carillon run` costs before it has anything to do, and how soon an address is announced after its start. */
export async function run(): Promise<BenchResult[]> {
  if (getuid?.() !== 0) throw new Error('this benchmark makes network namespaces: run it as root')
  const folder = mkdtempSync(join(tmpdir(), 'carillon-bench-start-'))
  const children: ChildProcess[] = []
  let wire: Wire | undefined
  try {
    execFileSync('sh', ['-ec', setUp])
    writeFileSync(join(folder, 'cluster.yaml'), manifests(100))
    wire = new Wire()
    await wire.ready()

    const times: number[] = []
    for (let i = 0; i < runs; i++) {
      const first = wire.announcement()
      const began = performance.timeOrigin + performance.now()
      const child = start(folder)
      children.push(child)
      times.push((await first) - began)
      child.kill('SIGTERM')
      await ended(child)
    }
    times.sort((a, b) => a - b)
    const median = ((times[runs / 2 - 1] ?? 0) + (times[runs / 2] ?? 0)) / 2

    const idle = start(folder)
    children.push(idle)
    // The announcements of the takeover end after 4.4 s; then there is nothing to do.
    await pause(10_000)
    const before = megabytes(idle)
    const ask = "require('http').get('http://127.0.0.1:7472/api/v1/status', r => r.resume())"
    execFileSync(...inside(server, execPath, '-e', ask))
    await pause(2000)
    const after = megabytes(idle)

    const bare = spawn(execPath, ['-e', 'setInterval(() => {}, 1e6)'], { stdio: 'ignore' })
    children.push(bare)
    await pause(1000)
    const peer = { name: 'bare Node', value: megabytes(bare) }
    return [
      {
        name: 'start to first announcement, median of 10',
        value: median,
        unit: 'ms',
        note: 'goal: below 500',
      },
      { name: 'start to first announcement, slowest of 10', value: times.at(-1) ?? 0, unit: 'ms' },
      { name: 'memory with 100 addresses, idle', value: before, unit: 'MB', peer, note: 'goal: below 80' },
      { name: 'memory after a status request', value: after, unit: 'MB', peer },
    ]
  } finally {
    for (const child of children) child.kill('SIGKILL')
    await wire?.close()
    for (const name of [client, server]) {
      try {
        execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore' })
      } catch {
        // It was never made.
      }
    }
    rmSync(folder, { recursive: true })
  }
}
