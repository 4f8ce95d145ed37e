import { expect } from 'vitest'
import { story } from './support/cluster.ts'

for (const ms of [300, 1000, 5000, 40_000])
  story(
    `a node that was frozen for ${ms} ms accuses nobody on waking, doubts itself first, and is a member again`,
    { profile: 'fast', seeds: [1, 2, 3] },
    async cluster => {
      await cluster.form(5)
      await cluster.run(2000)
      cluster.forget()
      const frozen = cluster.node('node-2')
      const others = cluster.all.filter(node => node !== frozen)
      const standings: string[] = []
      frozen.gossip.on('standing:changed', standing => standings.push(standing))
      frozen.freezer.freeze()
      await cluster.run(ms)
      expect(cluster.deaths(others).every(death => death.endsWith(': node-2'))).toBe(true)
      if (ms >= 1000) expect(cluster.agreed(others)).toBe(true)
      frozen.freezer.thaw()
      expect(frozen.gossip.standing()).toBe('paused')
      await cluster.until(
        'it is back and sure of itself',
        10_000,
        () => cluster.agreed() && frozen.gossip.standing() === 'confirmed',
      )
      await cluster.run(10_000)
      expect(cluster.agreed()).toBe(true)
      expect(cluster.deaths().filter(death => !death.endsWith(': node-2'))).toEqual([])
      expect(standings).toEqual(['paused', 'confirmed'])
    },
  )

story(
  'a node that is held up for 100 ms again and again is nobody to worry about',
  { profile: 'fast' },
  async cluster => {
    await cluster.form(5)
    cluster.forget()
    const slow = cluster.node('node-1')
    for (let i = 0; i < 100; i++) {
      slow.freezer.freeze()
      await cluster.run(100)
      slow.freezer.thaw()
      await cluster.run(50 + cluster.random() * 200)
    }
    expect(cluster.deaths()).toEqual([])
    expect(cluster.agreed()).toBe(true)
  },
)

story(
  'a node that hears nobody says that it is alone, and takes that back when it hears somebody',
  { profile: 'fast' },
  async cluster => {
    await cluster.form(5)
    await cluster.run(1000)
    const lonely = cluster.node('node-4')
    cluster.cut(lonely)
    await cluster.run(1000)
    expect(lonely.gossip.standing()).toBe('isolated')
    expect(cluster.deaths([lonely])).toEqual([])
    cluster.heal()
    await cluster.until('it is no more alone', 3000, () => lonely.gossip.standing() === 'confirmed')
  },
)

story(
  'a host that was suspended with all its members goes on as if nothing had been',
  { profile: 'fast' },
  async cluster => {
    await cluster.form(5)
    await cluster.run(1000)
    cluster.forget()
    for (const ms of [400, 60_000, 3_600_000]) {
      cluster.clock.freeze(ms)
      await cluster.run(3000)
      expect(cluster.deaths()).toEqual([])
      expect(cluster.agreed()).toBe(true)
      expect(cluster.all.map(({ gossip }) => gossip.standing())).toEqual(new Array(5).fill('confirmed'))
    }
  },
)

for (const others of [1, 2, 3])
  story(
    `a node that wakes while ${others} of four others are frozen is confirmed by those that run, and waits for nobody`,
    { profile: 'fast', seeds: [1, 2, 3, 4, 5] },
    async cluster => {
      await cluster.form(5)
      await cluster.run(2000)
      const sleeper = cluster.node('node-0')
      sleeper.freezer.freeze()
      // Those that fall asleep after it still count as living when it wakes and asks.
      await cluster.run(150)
      const frozen = cluster.all.slice(1, 1 + others)
      for (const { freezer } of frozen) freezer.freeze()
      await cluster.run(80)
      sleeper.freezer.thaw()
      expect(sleeper.gossip.standing()).toBe('paused')
      await cluster.until('it is confirmed', 300, () => sleeper.gossip.standing() === 'confirmed')
      for (const { freezer } of frozen) freezer.thaw()
      await cluster.until('all are sure', 10_000, () =>
        cluster.all.every(({ gossip }) => gossip.standing() === 'confirmed'),
      )
      await cluster.until('all agree', 10_000, () => cluster.agreed())
    },
  )

story(
  'a node that wakes where everybody else is frozen is unsure, then alone; with the others it is sure again',
  { profile: 'fast', seeds: [1, 2, 3] },
  async cluster => {
    await cluster.form(3)
    await cluster.run(2000)
    for (const { freezer } of cluster.all) freezer.freeze()
    await cluster.run(1000)
    const [first, ...rest] = cluster.all
    first?.freezer.thaw()
    expect(first?.gossip.standing()).toBe('paused')
    await cluster.until('it is alone', 10_000, () => first?.gossip.standing() === 'isolated')
    for (const { freezer } of rest) freezer.thaw()
    await cluster.until('all are sure', 10_000, () =>
      cluster.all.every(({ gossip }) => gossip.standing() === 'confirmed'),
    )
    await cluster.until('all agree', 10_000, () => cluster.agreed())
  },
)

story(
  'a node that stalls for a third of a second again and again is dead once at most, and from then on given more time',
  { profile: 'fast' },
  async cluster => {
    await cluster.form(5)
    await cluster.run(2000)
    cluster.forget()
    const busy = cluster.node('node-2')
    for (let i = 0; i < 20; i++) {
      busy.freezer.freeze()
      await cluster.run(330)
      busy.freezer.thaw()
      await cluster.run(700 + 600 * cluster.random())
    }
    const others = cluster.all.filter(node => node !== busy)
    expect(new Set(cluster.deaths())).toEqual(new Set(others.map(({ name }) => `${name}: node-2`)))
    expect(cluster.deaths()).toHaveLength(others.length)
    // No more than four times as long as for others, though.
    const since = cluster.clock.now()
    await cluster.kill(busy)
    await cluster.run(2000)
    expect(cluster.lastOf('dead', 'node-2', since, others)).toBeLessThanOrEqual(1000)
  },
)
