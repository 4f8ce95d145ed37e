import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import {
  carillonMember,
  MemberCluster,
  type MemberKind,
  memberlistMember,
  type Usage,
} from './support/members.ts'
import type { BenchResult } from './support/result.ts'
import { choice, count } from './support/settings.ts'
import { simulate } from './support/simulation.ts'

/** Debian packages that are measured beside us. */
export const peers = ['golang-github-hashicorp-memberlist-dev']

const nodes = 5
const dropPercent = 10

/**
 * What a member costs while nothing happens, beside Go's memberlist; how many living members are declared dead on a loaded machine and a
 * lossy network; and how the cost of the `fast` profile grows with the cluster. `CARILLON_BENCH_SECONDS` (60) is how long the first two
 * are watched; 600 gives figures to rely on. `CARILLON_BENCH_PARTS` leaves in some of `idle`, `deaths`, `growth`.
 */
export async function run(): Promise<BenchResult[]> {
  const seconds = count('CARILLON_BENCH_SECONDS', 60)
  const parts = choice('CARILLON_BENCH_PARTS', ['idle', 'deaths', 'growth'])
  const folder = mkdtempSync(join(tmpdir(), 'carillon-bench-gossip-'))
  try {
    const peer = memberlistMember(folder)
    const results: BenchResult[] = []
    if (parts.includes('idle')) results.push(...(await idle(seconds, peer)))
    if (parts.includes('deaths')) results.push(...(await falseDeaths(seconds, peer)))
    if (parts.includes('growth')) results.push(...(await growth()))
    return results
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** All clusters at once, so that what else the machine does tells on each of them. */
async function idle(seconds: number, peer: MemberKind | undefined): Promise<BenchResult[]> {
  await using lan = await MemberCluster.build('lan', carillonMember('lan'), nodes)
  await using fast = await MemberCluster.build('fast', carillonMember('fast'), nodes)
  await using beside = peer ? await MemberCluster.build('peer', peer, nodes) : undefined
  // News of the joins is passed on for a while.
  await pause(10_000)
  const [ofLan, ofFast, ofPeer] = await Promise.all([
    lan.usage(seconds),
    fast.usage(seconds),
    beside?.usage(seconds),
  ])
  const row = (
    profile: string,
    figure: keyof Usage,
    unit: string,
    what: string,
    usage: Usage,
  ): BenchResult => {
    const result = { name: `${what}, ${profile}, ${nodes} nodes`, value: usage[figure], unit }
    return peer && ofPeer ? { ...result, peer: { name: peer.name, value: ofPeer[figure] } } : result
  }
  return [
    ...(
      [
        ['lan', ofLan],
        ['fast', ofFast],
      ] as const
    ).flatMap(([profile, usage]) => [
      row(profile, 'cpuPercent', '% of a core', 'idle, CPU of a member', usage),
      row(profile, 'bytesPerSecond', 'B/s', 'idle, sent by a member', usage),
      row(profile, 'packetsPerSecond', '1/s', 'idle, packets of a member', usage),
    ]),
  ]
}

async function falseDeaths(seconds: number, peer: MemberKind | undefined): Promise<BenchResult[]> {
  await using fast = await MemberCluster.build('fast', carillonMember('fast'), nodes)
  await using beside = peer ? await MemberCluster.build('peer', peer, nodes) : undefined
  const hogs: ChildProcess[] = []
  try {
    for (const cluster of [fast, beside]) await cluster?.drop(dropPercent)
    for (let i = 0; i < availableParallelism(); i++)
      hogs.push(spawn(execPath, ['-e', 'for (;;) {}'], { stdio: 'ignore' }))
    const before = { dead: fast.noticed('dead'), suspect: fast.noticed('suspect'), leave: gone(beside) }
    await pause(seconds * 1000)
    const suspected = fast.noticed('suspect') - before.suspect
    const result: BenchResult = {
      name: `false deaths in ${seconds} s, fast, ${nodes} nodes`,
      value: fast.noticed('dead') - before.dead,
      unit: '',
      note: `${hogs.length} cores busy, ${dropPercent} % of UDP dropped; suspected ${suspected} times`,
    }
    return [
      peer && beside ? { ...result, peer: { name: peer.name, value: gone(beside) - before.leave } } : result,
    ]
  } finally {
    for (const hog of hogs) hog.kill('SIGKILL')
  }
}

/** Go's memberlist tells of a death as of a departure. */
const gone = (cluster: MemberCluster | undefined): number => cluster?.noticed('leave') ?? 0

async function growth(): Promise<BenchResult[]> {
  const results: BenchResult[] = []
  const add = (size: string, packets: number, bytes: number, cpu: string): void => {
    results.push({ name: `fast, ${size}: packets of a member`, value: packets, unit: '1/s', note: cpu })
    results.push({ name: `fast, ${size}: sent by a member`, value: bytes, unit: 'B/s' })
  }
  for (const size of [3, 10]) {
    await using cluster = await MemberCluster.build('grow', carillonMember('fast'), size)
    await pause(8000)
    const { packetsPerSecond, bytesPerSecond, cpuPercent } = await cluster.usage(20)
    add(`${size} nodes`, packetsPerSecond, bytesPerSecond, `${cpuPercent.toFixed(2)} % of a core`)
  }
  for (const size of [3, 10, 100, 1000]) {
    const { packetsPerSecond, bytesPerSecond, cpuMs } = await simulate(size, size > 100 ? 3 : 10)
    const cpu = `${(cpuMs / 10).toFixed(2)} % of a core, the simulation included`
    add(`${size} nodes simulated`, packetsPerSecond, bytesPerSecond, cpu)
  }
  return results
}
