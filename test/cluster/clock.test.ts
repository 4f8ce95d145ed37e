import { expect } from 'vitest'
import type { Cluster } from './support/cluster.ts'
import { story } from './support/cluster.ts'
import { JumpyClock } from './support/jumpy-clock.ts'

/** Five nodes with a clock each. */
async function form(cluster: Cluster): Promise<readonly JumpyClock[]> {
  const clocks = Array.from({ length: 5 }, () => new JumpyClock(cluster.clock))
  for (const [i, clock] of clocks.entries()) await cluster.add(`node-${i}`, { clock })
  await cluster.until('everybody knows everybody', 10_000, () => cluster.agreed())
  await cluster.run(2000)
  cluster.forget()
  return clocks
}

story(
  'wall clocks may be set back and ahead by years: nobody looks at them',
  { profile: 'fast' },
  async cluster => {
    const clocks = await form(cluster)
    for (let i = 0; i < 10; i++) {
      for (const clock of clocks) clock.setWall((cluster.random() - 0.5) * 1e12)
      await cluster.run(500)
    }
    expect(cluster.all.flatMap(({ noticed }) => noticed)).toEqual([])
    expect(cluster.agreed()).toBe(true)
  },
)

for (const ms of [400, 60_000, 3_600_000])
  story(
    `a node whose own clock jumps ahead by ${ms} ms takes it for a pause: it accuses nobody, and asks whether it still belongs`,
    { profile: 'fast' },
    async cluster => {
      const clocks = await form(cluster)
      const node = cluster.node('node-3')
      const standings: string[] = []
      node.gossip.on('standing:changed', standing => standings.push(standing))
      clocks[3]?.jump(ms)
      await cluster.run(2000)
      expect(standings).toEqual(['paused', 'confirmed'])
      await cluster.run(10_000)
      expect(cluster.deaths()).toEqual([])
      expect(cluster.agreed()).toBe(true)
    },
  )

story(
  'clocks that jump again and again, now here and now there, do not keep a death from being found in time',
  { profile: 'fast' },
  async cluster => {
    const clocks = await form(cluster)
    for (let i = 0; i < 20; i++) {
      clocks[Math.floor(cluster.random() * 5)]?.jump(cluster.random() * 2000)
      await cluster.run(300)
    }
    expect(cluster.deaths()).toEqual([])
    const since = cluster.clock.now()
    await cluster.kill(cluster.node('node-4'))
    clocks[0]?.jump(1000)
    await cluster.run(2000)
    expect(cluster.lastOf('dead', 'node-4', since, cluster.all)).toBeLessThanOrEqual(1000)
    expect(cluster.agreed()).toBe(true)
  },
)
