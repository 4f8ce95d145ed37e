import { cpuUsage, env, stdout } from 'node:process'
import { expect, it } from 'vitest'
import { Cluster } from './support/cluster.ts'

// The figures of docs/decisions/0010-fast-detection.md: CARILLON_FIGURES=1 npx vitest run --project cluster test/cluster/figures
const wanted = env.CARILLON_FIGURES !== undefined

const rows = [
  ['fast', 3, 40],
  ['fast', 5, 40],
  ['fast', 10, 20],
  ['fast', 100, 4],
  ['lan', 3, 40],
  ['lan', 5, 40],
  ['lan', 10, 20],
] as const

const seconds = 20
const say = (line: string): void => {
  stdout.write(`${line}\n`)
}
const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0)

/** Form, idle for a while, then one is cut off: how long until every other node knows. */
async function measure(profile: 'fast' | 'lan', count: number, loss: number, seed: number) {
  const cluster = new Cluster(seed, { profile })
  await cluster.form(count)
  cluster.network.everywhere({ loss })
  await cluster.run(5000)
  cluster.forget()
  const total = () => {
    const stats = cluster.all.map(({ gossip }) => gossip.stats())
    return { packets: sum(stats.map(one => one.packetsSent)), bytes: sum(stats.map(one => one.bytesSent)) }
  }
  const before = total()
  await cluster.run(1000 * seconds)
  const after = total()
  const falseDeaths = cluster.deaths().length
  await cluster.run(cluster.random() * 2000)
  const victim = cluster.node(`node-${count - 1}`)
  const others = cluster.all.filter(node => node !== victim)
  cluster.forget()
  const since = cluster.clock.now()
  cluster.cut(victim)
  await cluster.until('it is dead', 120_000, () =>
    others.every(({ gossip }) => !gossip.alive().has(victim.name)),
  )
  const times = others.map(
    ({ noticed }) => (noticed.find(({ what }) => what === 'dead')?.at ?? since) - since,
  )
  await cluster.close()
  return {
    first: Math.min(...times),
    last: Math.max(...times),
    packets: (after.packets - before.packets) / count / seconds,
    bytes: (after.bytes - before.bytes) / count / seconds,
    falseDeaths,
  }
}

it.runIf(wanted)('figures of the profiles', { timeout: 1_800_000 }, async () => {
  const lines = [
    '| profile | nodes | loss | runs | first knows, median | all know, median | all know, max | packets/s | bytes/s | false deaths |',
  ]
  for (const [profile, count, runs] of rows) {
    for (const loss of [0, 0.1, 0.3]) {
      const results: Awaited<ReturnType<typeof measure>>[] = []
      for (let seed = 1; seed <= runs; seed++) results.push(await measure(profile, count, loss, seed))
      const last = results.map(one => one.last).sort((a, b) => a - b)
      const first = results.map(one => one.first).sort((a, b) => a - b)
      const middle = (sorted: readonly number[]): string => (sorted[sorted.length >> 1] as number).toFixed(0)
      const mean = (of: (one: (typeof results)[number]) => number): string =>
        (sum(results.map(of)) / runs).toFixed(0)
      lines.push(
        `| ${profile} | ${count} | ${loss * 100} % | ${runs} | ${middle(first)} ms | ${middle(last)} ms | ${(last.at(-1) as number).toFixed(0)} ms | ${mean(one => one.packets)} | ${mean(one => one.bytes)} | ${sum(results.map(one => one.falseDeaths))} in ${((runs * count * seconds) / 60).toFixed(0)} node minutes |`,
      )
      say(lines.at(-1) as string)
    }
  }
  say(lines.join('\n'))
})

it.runIf(wanted)(
  'a thousand nodes form a cluster and all notice a death, for less than a minute of CPU',
  { timeout: 1_800_000 },
  async () => {
    const before = cpuUsage()
    const spent = (): number => {
      const { user, system } = cpuUsage(before)
      return (user + system) / 1e6
    }
    const cluster = new Cluster(1, { profile: 'fast' })
    await cluster.form(1000)
    say(`formed after ${cluster.clock.now()} ms, ${spent().toFixed(1)} s of CPU`)
    await cluster.run(1000)
    cluster.forget()
    const since = cluster.clock.now()
    await cluster.kill(cluster.node('node-777'))
    await cluster.until('all notice', 5000, () => cluster.agreed())
    say(
      `all noticed after ${cluster.lastOf('dead', 'node-777', since, cluster.all)} ms, ${spent().toFixed(1)} s of CPU in all`,
    )
    expect(cluster.deaths()).toHaveLength(999)
    await cluster.close()
    expect(spent()).toBeLessThan(60)
  },
)
