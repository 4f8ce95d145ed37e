import { describe, expect } from 'vitest'
import { story } from './support/cluster.ts'

describe.each(['fast', 'lan'] as const)('%s', profile => {
  story(
    'a node that was killed and restarts under its name and address is a member again at once',
    { profile },
    async cluster => {
      await cluster.form(4)
      await cluster.run(1000)
      const old = cluster.node('node-2')
      await cluster.kill(old)
      await cluster.run(100)
      await cluster.add('node-2', { address: old.address })
      await cluster.until('it is back', 20_000, () => cluster.agreed())
      await cluster.run(20_000)
      expect(cluster.agreed()).toBe(true)
      const known = cluster.all.map(
        ({ gossip }) => gossip.members().find(({ name }) => name === 'node-2')?.incarnation,
      )
      expect(new Set(known).size).toBe(1)
    },
  )

  // memberlist keeps a name for the address of its last bearer until it forgets the dead.
  story(
    'a node that died without a word gets its name at another address once its death is forgotten',
    { profile, seeds: [1, 2] },
    async cluster => {
      await cluster.form(4)
      await cluster.run(1000)
      await cluster.kill(cluster.node('node-2'))
      await cluster.until('it is dead', 30_000, () => cluster.agreed())
      const back = await cluster.add('node-2')
      await cluster.run(5000)
      expect(cluster.node('node-0').gossip.alive().has('node-2')).toBe(false)
      await cluster.until('it is back', 120_000, () => cluster.agreed())
      for (const { gossip } of cluster.all)
        expect(gossip.members().find(({ name }) => name === 'node-2')?.address).toBe(`${back.address}:7946`)
    },
  )

  story(
    'where the settings say so, a name comes back at another address soon after a death',
    { profile, settings: { deadNodeReclaimMs: 1000 }, seeds: [1, 2] },
    async cluster => {
      await cluster.form(4)
      await cluster.run(1000)
      await cluster.kill(cluster.node('node-2'))
      await cluster.until('it is dead', 30_000, () => cluster.agreed())
      await cluster.run(1000)
      await cluster.add('node-2')
      await cluster.until('it is back', 20_000, () => cluster.agreed())
    },
  )

  story('a node that left may come back under its name at another address', { profile }, async cluster => {
    await cluster.form(4)
    await cluster.run(1000)
    const old = cluster.node('node-2')
    const left = old.gossip.leave()
    await cluster.run(2000)
    await left
    await cluster.kill(old)
    const back = await cluster.add('node-2')
    expect(back.address).not.toBe(old.address)
    await cluster.until('it is back', 20_000, () => cluster.agreed())
    for (const { gossip } of cluster.all)
      expect(gossip.members().find(({ name }) => name === 'node-2')?.address).toBe(`${back.address}:7946`)
  })
})

story(
  'ten nodes are restarted one after the other, each at a new address as pods are: nobody is ever dead, and in the end all are where they are',
  { profile: 'fast' },
  async cluster => {
    await cluster.form(10)
    await cluster.run(1000)
    cluster.forget()
    for (const { name } of cluster.all) {
      const old = cluster.node(name)
      const left = old.gossip.leave(200)
      await cluster.run(300)
      await left
      const others = cluster.all.filter(node => node !== old)
      expect(cluster.agreed(others)).toBe(true)
      await cluster.kill(old)
      await cluster.run(200)
      await cluster.add(name)
      await cluster.until('it is back', 3000, () => cluster.agreed())
    }
    await cluster.run(5000)
    expect(cluster.deaths()).toEqual([])
    for (const { gossip } of cluster.all)
      for (const { name, address } of gossip.members())
        expect(address).toBe(`${cluster.node(name).address}:7946`)
  },
)

story(
  'while a node lives nobody else gets its name, and both see that there is a conflict',
  { profile: 'fast' },
  async cluster => {
    await cluster.form(3)
    const first = cluster.node('node-1')
    const impostor = await cluster.add('node-1', { join: ['10.0.0.1'] })
    await cluster.run(5000)
    const honest = ['node-0', 'node-2'].map(name => cluster.node(name))
    for (const { gossip } of honest)
      expect(gossip.members().find(({ name }) => name === 'node-1')?.address).toBe(`${first.address}:7946`)
    expect(honest.some(({ noticed }) => noticed.some(({ what }) => what === 'conflict'))).toBe(true)
    await first.gossip[Symbol.asyncDispose]()
    expect(impostor.gossip.alive().has('node-1')).toBe(true)
  },
)

describe('a leave', () => {
  story('is seen as a leave by all at once, and never as a death', { profile: 'fast' }, async cluster => {
    await cluster.form(5)
    await cluster.run(1000)
    const leaver = cluster.node('node-3')
    const others = cluster.all.filter(node => node !== leaver)
    const since = cluster.clock.now()
    const left = leaver.gossip.leave()
    await cluster.run(1000)
    await left
    await cluster.kill(leaver)
    await cluster.run(5000)
    expect(cluster.lastOf('leave', 'node-3', since, others)).toBeLessThanOrEqual(10)
    expect(cluster.deaths()).toEqual([])
    expect(cluster.agreed()).toBe(true)
  })

  story('of the only node is over at once', { profile: 'fast' }, async cluster => {
    const alone = await cluster.add('alone')
    await alone.gossip.leave()
    expect(cluster.clock.now()).toBe(0)
  })

  story('reaches a hundred nodes within two seconds', { profile: 'fast', seeds: [1] }, async cluster => {
    await cluster.form(100)
    const leaver = cluster.node('node-50')
    const others = cluster.all.filter(node => node !== leaver)
    const since = cluster.clock.now()
    const left = leaver.gossip.leave(2000)
    await cluster.run(2500)
    await left
    expect(cluster.lastOf('leave', 'node-50', since, others)).toBeLessThanOrEqual(2000)
  })
})
