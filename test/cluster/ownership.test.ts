import { expect } from 'vitest'
import { type Cluster, type Node, story } from './support/cluster.ts'
import { addresses, owners, settled } from './support/owners.ts'

/** How long until every address has one owner among these, in milliseconds; looks again whether that lasts. */
async function takeover(cluster: Cluster, among: readonly Node[]): Promise<number> {
  const took = await cluster.until('every address has one owner', 5000, () => settled(among))
  for (let i = 0; i < 100; i++) {
    await cluster.run(50)
    expect(settled(among)).toBe(true)
  }
  return took
}

for (const count of [3, 5, 10])
  story(
    `of ${count} nodes one dies: within 600 ms each address has one owner again, and those of the others never move`,
    { profile: 'fast' },
    async cluster => {
      const nodes = await cluster.form(count)
      await cluster.run(2000)
      expect(settled(nodes)).toBe(true)
      const before = new Map(addresses.map(address => [address, owners(address, nodes)[0]]))
      const victim = cluster.node(`node-${count - 1}`)
      await cluster.kill(victim)
      expect(await takeover(cluster, cluster.all)).toBeLessThanOrEqual(600)
      for (const [address, owner] of before)
        if (owner !== victim.name) expect(owners(address, cluster.all)).toEqual([owner])
    },
  )

story(
  'a node that leaves hands every address over before the message of its leave is a packet old',
  { profile: 'fast' },
  async cluster => {
    await cluster.form(5)
    await cluster.run(2000)
    const leaver = cluster.node('node-1')
    const left = leaver.gossip.leave()
    const others = cluster.all.filter(node => node !== leaver)
    expect(await takeover(cluster, others)).toBeLessThanOrEqual(5)
    await left
  },
)

story(
  'a node that comes back takes what is its own, and at no time has an address no owner',
  { profile: 'fast' },
  async cluster => {
    await cluster.form(5)
    const old = cluster.node('node-1')
    await cluster.kill(old)
    await takeover(cluster, cluster.all)
    const back = await cluster.add(old.name, { address: old.address })
    for (let i = 0; i < 400; i++) {
      await cluster.run(5)
      for (const address of addresses) expect(owners(address, cluster.all).length).toBeGreaterThan(0)
    }
    expect(settled(cluster.all)).toBe(true)
    expect(addresses.some(address => owners(address, [back]).length === 1)).toBe(true)
  },
)

story(
  'a node that was frozen past its death owns nothing on waking, until the others have taken it back',
  { profile: 'fast' },
  async cluster => {
    const nodes = await cluster.form(5)
    await cluster.run(2000)
    const frozen = cluster.node('node-3')
    frozen.freezer.freeze()
    await cluster.run(1000)
    const others = nodes.filter(node => node !== frozen)
    expect(settled(others)).toBe(true)
    frozen.freezer.thaw()
    // Its timers run first, before it has read anything.
    for (const address of addresses) expect(owners(address, [frozen])).toEqual([])
    expect(await takeover(cluster, nodes)).toBeLessThanOrEqual(1000)
  },
)

story(
  'each half of a parted cluster has one owner for each address, and so has the whole when it is healed',
  { profile: 'fast' },
  async cluster => {
    const nodes = await cluster.form(6)
    await cluster.run(2000)
    const [left, right] = [nodes.slice(0, 3), nodes.slice(3)]
    cluster.cut(...left)
    await takeover(cluster, left)
    expect(settled(right)).toBe(true)
    cluster.heal()
    expect(await takeover(cluster, nodes)).toBeLessThanOrEqual(2000)
  },
)
