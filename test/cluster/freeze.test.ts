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

story('the wall clock may jump: nobody looks at it', { profile: 'fast', seeds: [1] }, async cluster => {
  let date = cluster.clock.date().getTime()
  const jumpy = {
    now: () => cluster.clock.now(),
    date: () => {
      date -= 3_600_000
      return new Date(date)
    },
    after: cluster.clock.after.bind(cluster.clock),
  }
  await cluster.form(3)
  await cluster.add('jumpy', { clock: jumpy })
  await cluster.run(10_000)
  expect(cluster.deaths()).toEqual([])
  expect(cluster.agreed()).toBe(true)
})
