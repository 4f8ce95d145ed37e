import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath, getuid, pid } from 'node:process'
import { fileURLToPath } from 'node:url'
import type { BenchResult } from './support/result.ts'

const client = `bench-arp-client-${pid}`
const server = `bench-arp-server-${pid}`

/** One address that we answer for, one that the kernel does, on the same interface, and one that is not there. */
const targets = [
  { protocol: 'ARP', ours: '10.79.0.100', kernel: '10.79.0.101', stranger: '10.79.0.200' },
  { protocol: 'NDP', ours: 'fd79::100', kernel: 'fd79::101', stranger: 'fd79::200' },
] as const

const setUp = `
  ip netns add ${client}
  ip netns add ${server}
  ip netns exec ${client} sysctl -qw net.ipv6.conf.default.accept_dad=0
  ip netns exec ${server} sysctl -qw net.ipv6.conf.default.accept_dad=0
  ip -n ${client} link add eth0 type veth peer name eth0 netns ${server}
  ip -n ${client} link set eth0 up
  ip -n ${server} link set eth0 up
  ip -n ${client} addr add 10.79.0.1/24 dev eth0
  ip -n ${client} addr add fd79::1/64 dev eth0 nodad
  ip -n ${server} addr add 10.79.0.2/24 dev eth0
  ip -n ${server} addr add fd79::2/64 dev eth0 nodad
  ip -n ${server} addr add 10.79.0.101/32 dev eth0
  ip -n ${server} addr add fd79::101/128 dev eth0 nodad
`

interface Latency {
  readonly p50: number
  readonly p99: number
}

interface Rate {
  readonly sent: number
  readonly answered: number
  readonly answeredPerSecond: number
}

const compiled = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
/** This file runs compiled, in node_modules/.cache/bench. */
const source = (path: string): string => compiled(`../../../bench/${path}`)

/** Seconds of processor time that a process has used. */
function cpuSeconds(process: ChildProcess): number {
  const fields = readFileSync(`/proc/${process.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

async function startResponder(): Promise<ChildProcess> {
  const addresses = targets.map(target => target.ours)
  // `ip netns exec` becomes the program, so that its process is the responder.
  const args = ['netns', 'exec', server, execPath, compiled('support/responder.js'), ...addresses]
  const child = spawn('ip', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise<void>((resolve, reject) => {
    child.stdout?.once('data', () => resolve())
    child.once('exit', code => reject(new Error(`the responder ended with ${code} before it was ready`)))
  })
  return child
}

/** Time to an answer and answers per second, over a veth pair between two namespaces; the kernel answers for an address of its own. */
export async function run(): Promise<BenchResult[]> {
  if (getuid?.() !== 0) throw new Error('this benchmark makes network namespaces: run it as root')
  const folder = mkdtempSync(join(tmpdir(), 'carillon-bench-arp-'))
  const program = join(folder, 'prober')
  let responder: ChildProcess | undefined
  try {
    execFileSync('g++', ['-O2', '-std=c++17', '-o', program, source('support/prober.cc')])
    execFileSync('sh', ['-ec', setUp])
    responder = await startResponder()
    const probe = <Result>(...args: readonly string[]): Result =>
      JSON.parse(
        execFileSync('ip', ['netns', 'exec', client, program, 'eth0', ...args], { encoding: 'utf8' }),
      )
    return targets.flatMap(target => measure(target, probe, responder as ChildProcess))
  } finally {
    responder?.kill('SIGKILL')
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

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number
}

function medians(latencies: readonly Latency[]): Latency {
  return { p50: median(latencies.map(one => one.p50)), p99: median(latencies.map(one => one.p99)) }
}

function measure(
  { protocol, ours, kernel, stranger }: (typeof targets)[number],
  probe: <Result>(...args: readonly string[]) => Result,
  responder: ChildProcess,
): BenchResult[] {
  const peer = (value: number) => ({ name: 'kernel', value })
  // In turns, so that a moment in which the machine was busy tells on both, and then medians.
  const turns = Array.from({ length: 7 }, () =>
    [ours, kernel].map(target => probe<Latency>(target, 'latency', '2000')),
  )
  const mine = medians(turns.map(([one]) => one as Latency))
  const its = medians(turns.map(([, one]) => one as Latency))

  const lostPercent = ({ sent, answered }: Rate): number => (100 * (sent - answered)) / sent
  const before = cpuSeconds(responder)
  const steady = probe<Rate>(ours, 'rate', '20000', '5')
  const cpu = (100 * (cpuSeconds(responder) - before)) / 5
  const steadyKernel = probe<Rate>(kernel, 'rate', '20000', '5')

  const beforeStorm = cpuSeconds(responder)
  const storm = probe<Rate>(stranger, 'rate', '100000', '5')
  const stormCpu = (100 * (cpuSeconds(responder) - beforeStorm)) / 5

  const flood = (target: string): Rate => probe<Rate>(target, 'rate', '0', '3')
  const [mostOurs, mostKernel] = [flood(ours), flood(kernel)]
  return [
    { name: `${protocol} answer, p50`, value: mine.p50, unit: 'µs', peer: peer(its.p50) },
    { name: `${protocol} answer, p99`, value: mine.p99, unit: 'µs', peer: peer(its.p99) },
    {
      name: `${protocol} requests unanswered at 20,000/s`,
      value: lostPercent(steady),
      unit: '%',
      peer: peer(lostPercent(steadyKernel)),
      note: `${steady.sent} sent, ${cpu.toFixed(0)} % of a core`,
    },
    {
      name: `${protocol} processor time under requests for others`,
      value: stormCpu,
      unit: '%',
      note: `${(storm.sent / 5).toFixed(0)} requests/s, goal: below 2 % of a core`,
    },
    {
      name: `${protocol} answers under flood`,
      value: mostOurs.answeredPerSecond,
      unit: '1/s',
      peer: peer(mostKernel.answeredPerSecond),
    },
  ]
}
