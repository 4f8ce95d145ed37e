import { expect } from 'vitest'
import { story } from './support/cluster.ts'

for (const profile of ['fast', 'lan'] as const) {
  story(
    `${profile}: fifty nodes that start at once and know one of them all find each other`,
    { profile, seeds: [1, 2] },
    async cluster => {
      await cluster.form(50)
      await cluster.run(5000)
      expect(cluster.agreed()).toBe(true)
      expect(cluster.deaths()).toEqual([])
    },
  )

  story(
    `${profile}: nodes that come one after the other are seen by all`,
    { profile, seeds: [1, 2] },
    async cluster => {
      for (let i = 0; i < 10; i++) {
        await cluster.add(`node-${i}`)
        await cluster.until('it is known', profile === 'fast' ? 2000 : 60_000, () => cluster.agreed())
      }
      expect(cluster.deaths()).toEqual([])
    },
  )
}

story(
  'a join list of names is looked up again until somebody answers, so nodes may start in any order',
  {},
  async cluster => {
    let known: readonly string[] = []
    const resolve = async (host: string): Promise<readonly string[]> => {
      if (host !== 'gossip.example') throw new Error('ENOTFOUND')
      return known
    }
    await cluster.add('a', { join: ['gossip.example', 'nowhere.example'], resolve })
    await cluster.run(5000)
    const b = await cluster.add('b', { join: [] })
    expect(cluster.agreed()).toBe(false)
    known = [b.address]
    await cluster.until('they found each other', 5000, () => cluster.agreed())
  },
)

story(
  'clusters that were started apart become one when any node joins any other',
  { profile: 'fast' },
  async cluster => {
    const lonely = { join: [] }
    await cluster.add('a0', lonely)
    await cluster.add('a1')
    const b0 = await cluster.add('b0', lonely)
    await cluster.add('b1', { join: [b0.address] })
    await cluster.run(3000)
    expect(cluster.agreed()).toBe(false)
    const answered = cluster.node('a1').gossip.join(`${b0.address}:7946`, '10.99.99.99')
    await cluster.until('they are one', 70_000, () => cluster.agreed())
    await cluster.run(12_000)
    expect(await answered).toBe(1)
  },
)

story(
  'a hundred nodes form a cluster, and one death is known to all of them within a second',
  { profile: 'fast', seeds: [1] },
  async cluster => {
    await cluster.form(100)
    await cluster.run(2000)
    cluster.forget()
    const since = cluster.clock.now()
    await cluster.kill(cluster.node('node-77'))
    await cluster.run(2000)
    expect(cluster.lastOf('dead', 'node-77', since, cluster.all)).toBeLessThanOrEqual(1000)
    expect(new Set(cluster.deaths()).size).toBe(99)
    expect(cluster.agreed()).toBe(true)
  },
)

story(
  'forty nodes storm into a cluster of five through one of them while 30 % of all packets are lost: all find each other, and nobody stays dead',
  { profile: 'fast', seeds: [1] },
  async cluster => {
    await cluster.form(5)
    cluster.network.everywhere({ loss: 0.3 })
    for (let i = 5; i < 45; i++) await cluster.add(`node-${i}`)
    await cluster.until('everybody knows everybody', 30_000, () => cluster.agreed())
    cluster.network.everywhere({ loss: 0 })
    await cluster.until('everybody counts as living', 10_000, () => cluster.agreed())
    cluster.forget()
    await cluster.run(10_000)
    expect(cluster.deaths()).toEqual([])
    expect(cluster.agreed()).toBe(true)
  },
)
