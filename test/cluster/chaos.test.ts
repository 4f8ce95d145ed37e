import { expect } from 'vitest'
import { type Cluster, type Node, story } from './support/cluster.ts'

const pick = <T>(cluster: Cluster, from: readonly T[]): T =>
  from[Math.floor(cluster.random() * from.length)] as T

/** What may happen; each leaves at least half of the nodes running. */
const mishaps: readonly ((
  cluster: Cluster,
  frozen: Set<Node>,
  addresses: Map<string, string>,
) => Promise<void>)[] = [
  async (cluster, frozen, addresses) => {
    const running = cluster.all.filter(node => !frozen.has(node))
    if (running.length <= 5) return
    const node = pick(cluster, running)
    addresses.set(node.name, node.address)
    await cluster.kill(node)
  },
  async (cluster, _, addresses) => {
    const [name, address] = pick(cluster, [...addresses]) ?? []
    if (name === undefined || address === undefined) return
    addresses.delete(name)
    const first = cluster.all[0]
    await cluster.add(name, { address, join: first ? [first.address] : [] })
  },
  async (cluster, frozen) => {
    if (frozen.size > 1) return
    const node = pick(cluster, cluster.all)
    node.freezer.freeze()
    frozen.add(node)
  },
  async (_, frozen) => {
    for (const node of frozen) node.freezer.thaw()
    frozen.clear()
  },
  async cluster => {
    cluster.cut(pick(cluster, cluster.all), pick(cluster, cluster.all))
  },
  async cluster => {
    cluster.network.path(pick(cluster, cluster.all).host, pick(cluster, cluster.all).host, { cut: true })
  },
  async cluster => cluster.heal(),
  async cluster => cluster.network.everywhere({ loss: pick(cluster, [0, 0.1, 0.3]) }),
  async cluster => cluster.network.everywhere({ delayMs: pick(cluster, [0.2, 20, 80]) }),
]

for (const profile of ['fast', 'lan'] as const)
  story(
    `${profile}: whatever happens for half a minute, once it is over all that run agree on who they are, and go on agreeing`,
    { profile, seeds: [1, 2, 3, 4] },
    async cluster => {
      await cluster.form(8)
      const frozen = new Set<Node>()
      const addresses = new Map<string, string>()
      for (const end = cluster.clock.now() + 30_000; cluster.clock.now() < end; ) {
        await pick(cluster, mishaps)(cluster, frozen, addresses)
        await cluster.run(cluster.random() * 2000)
      }
      for (const node of frozen) node.freezer.thaw()
      cluster.heal()
      cluster.network.everywhere({ loss: 0, delayMs: 0.2 })
      await cluster.until('all agree', 120_000, () => cluster.agreed())
      // What was on its way at that moment may be news of a death, and is objected to.
      await cluster.run(2000)
      await cluster.until('all agree still', 5000, () => cluster.agreed())
      cluster.forget()
      await cluster.run(30_000)
      // In memberlist, who was cut off goes on accusing for a while, and is objected to.
      if (profile === 'fast') expect(cluster.deaths()).toEqual([])
      expect(cluster.agreed()).toBe(true)
      expect(cluster.all.every(({ gossip }) => gossip.standing() === 'confirmed')).toBe(true)
    },
  )
