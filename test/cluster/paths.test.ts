import { describe, expect } from 'vitest'
import { story } from './support/cluster.ts'

story(
  'two halves that lose each other each go on, and are one again when healed',
  { profile: 'fast' },
  async cluster => {
    const nodes = await cluster.form(6)
    await cluster.run(1000)
    const [left, right] = [nodes.slice(0, 3), nodes.slice(3)]
    cluster.cut(...left)
    await cluster.until(
      'each half has given the other up',
      2000,
      () => cluster.agreed(left) && cluster.agreed(right),
    )
    await cluster.run(60_000)
    expect(cluster.agreed(left) && cluster.agreed(right)).toBe(true)
    cluster.heal()
    await cluster.until('they are one', 10_000, () => cluster.agreed())
    await cluster.run(10_000)
    expect(cluster.agreed()).toBe(true)
  },
)

story(
  'lan: two halves that lose each other are one again when healed',
  { profile: 'lan', seeds: [1, 2] },
  async cluster => {
    const nodes = await cluster.form(6)
    const [left, right] = [nodes.slice(0, 3), nodes.slice(3)]
    cluster.cut(...left)
    await cluster.until(
      'each half has given the other up',
      60_000,
      () => cluster.agreed(left) && cluster.agreed(right),
    )
    cluster.heal()
    await cluster.until('they are one', 30_000, () => cluster.agreed())
  },
)

story(
  'halves that were apart for longer than the dead are remembered are one again through the join list',
  { profile: 'fast', seeds: [1, 2] },
  async cluster => {
    const nodes = await cluster.form(4)
    const [left, right] = [nodes.slice(0, 2), nodes.slice(2)]
    cluster.cut(...left)
    await cluster.run(120_000)
    expect(cluster.agreed(left) && cluster.agreed(right)).toBe(true)
    cluster.heal()
    await cluster.until('they are one', 10_000, () => cluster.agreed())
  },
)

describe.each(['fast', 'lan'] as const)('%s', profile => {
  story(
    'one way of one path is cut for two minutes: others vouch for both, and nobody is dead',
    { profile },
    async cluster => {
      const [a, b] = await cluster.form(5)
      if (!a || !b) return
      cluster.forget()
      cluster.network.path(a.host, b.host, { cut: true })
      await cluster.run(120_000)
      expect(cluster.deaths()).toEqual([])
      expect(cluster.agreed()).toBe(true)
    },
  )

  story(
    'both ways of one path are cut for two minutes: others vouch for both, and nobody is dead',
    { profile },
    async cluster => {
      const [a, b] = await cluster.form(5)
      if (!a || !b) return
      cluster.forget()
      cluster.network.path(a.host, b.host, { cut: true })
      cluster.network.path(b.host, a.host, { cut: true })
      await cluster.run(120_000)
      expect(cluster.deaths()).toEqual([])
      expect(cluster.agreed()).toBe(true)
    },
  )

  for (const [loss, count] of [
    [0.1, 3],
    [0.1, 5],
    [0.3, 3],
    [0.3, 5],
    [0.3, 10],
  ] as const) {
    // memberlist itself makes false deaths where that much is lost; but they are objected to.
    const strict = profile === 'fast' || loss < 0.3
    story(
      `${loss * 100} % of all packets are lost among ${count} nodes for two minutes, and ${
        strict ? 'nobody is dead' : 'nobody stays dead'
      }`,
      { profile, seeds: count === 10 ? [1] : [1, 2] },
      async cluster => {
        await cluster.form(count)
        cluster.forget()
        cluster.network.everywhere({ loss })
        await cluster.run(120_000)
        if (strict) expect(cluster.deaths()).toEqual([])
        cluster.network.everywhere({ loss: 0 })
        await cluster.until('everybody counts as living', 60_000, () => cluster.agreed())
      },
    )
  }
})

story(
  'a death is found in time also while 10 % of all packets are lost',
  { profile: 'fast' },
  async cluster => {
    await cluster.form(5)
    cluster.network.everywhere({ loss: 0.1 })
    await cluster.run(5000)
    const since = cluster.clock.now()
    await cluster.kill(cluster.node('node-4'))
    await cluster.run(3000)
    expect(cluster.lastOf('dead', 'node-4', since, cluster.all)).toBeLessThanOrEqual(1000)
    expect(cluster.agreed()).toBe(true)
  },
)

story('answers that take 100 ms are no deaths', { profile: 'fast' }, async cluster => {
  await cluster.form(5)
  cluster.network.everywhere({ delayMs: 40, jitterMs: 20 })
  await cluster.run(60_000)
  expect(cluster.deaths()).toEqual([])
})

for (const profile of ['fast', 'lan'] as const) {
  story(
    `${profile}: a node whose packets reach nobody is dead for the others, and back when they do`,
    { profile },
    async cluster => {
      const nodes = await cluster.form(5)
      await cluster.run(1000)
      const mute = cluster.node('node-2')
      const others = nodes.filter(node => node !== mute)
      for (const { host } of others) cluster.network.path(mute.host, host, { cut: true })
      await cluster.until('it is dead', profile === 'fast' ? 600 : 20_000, () => cluster.agreed(others))
      cluster.heal()
      await cluster.until('it is back', 30_000, () => cluster.agreed())
    },
  )

  // What it sends shows that it lives, so that only memberlist's probes, which it does not answer, find it out.
  story(
    `${profile}: a node that hears nobody, though all hear it, accuses nobody for long, is dead for the others in half a minute, and is back when it hears`,
    { profile },
    async cluster => {
      const nodes = await cluster.form(5)
      await cluster.run(1000)
      cluster.forget()
      const deaf = cluster.node('node-2')
      const others = nodes.filter(node => node !== deaf)
      for (const { host } of others) cluster.network.path(host, deaf.host, { cut: true })
      await cluster.until('it is dead', 30_000, () =>
        others.every(({ gossip }) => !gossip.alive().has(deaf.name)),
      )
      if (profile === 'fast') {
        expect(deaf.gossip.standing()).toBe('isolated')
        expect(new Set(cluster.deaths(others))).toEqual(new Set(others.map(({ name }) => `${name}: node-2`)))
      }
      cluster.heal()
      await cluster.until('all are back', 60_000, () => cluster.agreed())
    },
  )
}

story(
  'a node whose path gets slower and slower is nobody to worry about',
  { profile: 'fast' },
  async cluster => {
    const nodes = await cluster.form(5)
    const slow = cluster.node('node-3')
    cluster.forget()
    for (const delayMs of [20, 40, 60, 80]) {
      for (const { host } of nodes) {
        cluster.network.path(slow.host, host, { delayMs, jitterMs: 30 })
        cluster.network.path(host, slow.host, { delayMs, jitterMs: 30 })
      }
      await cluster.run(20_000)
    }
    expect(cluster.deaths()).toEqual([])
    expect(cluster.agreed()).toBe(true)
  },
)
