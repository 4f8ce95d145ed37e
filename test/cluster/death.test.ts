import { describe, expect } from 'vitest'
import { type Node, story } from './support/cluster.ts'

const sizes = [3, 5, 10, 50]
const seedsFor = (count: number) => (count === 50 ? [1] : [1, 2, 3, 4])
const all = (observers: readonly Node[], who: Node): Set<string> =>
  new Set(observers.map(({ name }) => `${name}: ${who.name}`))

describe.each(sizes)('of %i nodes one is cut off', count => {
  const seeds = seedsFor(count)

  story(
    'fast: within 600 ms it is dead for every other, and nobody else is; healed, it is back, and nobody else was ever away',
    { profile: 'fast', seeds },
    async cluster => {
      const nodes = await cluster.form(count)
      await cluster.run(1000)
      cluster.forget()
      const victim = cluster.node(`node-${count - 1}`)
      const others = nodes.filter(node => node !== victim)
      const since = cluster.clock.now()
      cluster.cut(victim)
      await cluster.run(5000)
      expect(cluster.lastOf('dead', victim.name, since, others)).toBeLessThanOrEqual(600)
      expect(new Set(cluster.deaths())).toEqual(all(others, victim))
      cluster.heal()
      await cluster.until('everybody is back', 3000, () => cluster.agreed())
      await cluster.run(5000)
      expect(cluster.agreed()).toBe(true)
      expect(new Set(cluster.deaths())).toEqual(all(others, victim))
    },
  )

  // memberlist itself: a node that was cut off believes all others dead, and says so when it is back, until they object.
  story(
    'lan: it is dead for every other as soon as in memberlist, and nobody else is; healed, all are back',
    { profile: 'lan', seeds },
    async cluster => {
      const nodes = await cluster.form(count)
      await cluster.run(1000)
      cluster.forget()
      const victim = cluster.node(`node-${count - 1}`)
      const others = nodes.filter(node => node !== victim)
      const since = cluster.clock.now()
      cluster.cut(victim)
      await cluster.until('it is dead', 2 * count * 1000 + 10_000, () => cluster.agreed(others))
      expect(cluster.lastOf('dead', victim.name, since, others)).toBeGreaterThanOrEqual(4000)
      expect(new Set(cluster.deaths(others))).toEqual(all(others, victim))
      await cluster.run(10_000)
      cluster.heal()
      await cluster.until('everybody is back', 60_000, () => cluster.agreed())
      await cluster.run(60_000)
      expect(cluster.agreed()).toBe(true)
    },
  )
})

describe('fast', () => {
  story('a node that is killed is dead for every other within 600 ms', { profile: 'fast' }, async cluster => {
    await cluster.form(5)
    await cluster.run(1000)
    const since = cluster.clock.now()
    await cluster.kill(cluster.node('node-2'))
    await cluster.run(2000)
    expect(cluster.lastOf('dead', 'node-2', since, cluster.all)).toBeLessThanOrEqual(600)
    expect(cluster.agreed()).toBe(true)
  })

  story(
    'two nodes of five that are killed at once are both dead within a second',
    { profile: 'fast' },
    async cluster => {
      await cluster.form(5)
      await cluster.run(1000)
      const since = cluster.clock.now()
      for (const name of ['node-1', 'node-3']) await cluster.kill(cluster.node(name))
      await cluster.run(3000)
      for (const name of ['node-1', 'node-3'])
        expect(cluster.lastOf('dead', name, since, cluster.all)).toBeLessThanOrEqual(1000)
      expect(cluster.agreed()).toBe(true)
    },
  )

  story(
    'of two nodes, one that is killed is dead for the other within 600 ms',
    { profile: 'fast' },
    async cluster => {
      await cluster.form(2)
      await cluster.run(1000)
      const since = cluster.clock.now()
      await cluster.kill(cluster.node('node-1'))
      await cluster.run(2000)
      const [left] = cluster.all
      // The only one left cannot know whether it is the one that is cut off, and says so.
      expect(cluster.lastOf('dead', 'node-1', since, cluster.all)).toBeLessThanOrEqual(600)
      expect(left?.gossip.alive()).toEqual(new Set(['node-0']))
    },
  )
})
