import { env } from 'node:process'
import { elect, parseAddress } from '@carillon/core'
import { encodeMessage, encodePacket } from '@carillon/gossip/wire'
import { expect } from 'vitest'
import { type Cluster, type Node, story } from './support/cluster.ts'
import { addresses } from './support/owners.ts'

/** The work grows with the square of it. */
const count = Number(env.CARILLON_NODES ?? 1000)

/** Who owns the addresses in the eyes of a few. */
const views = (nodes: readonly Node[]): readonly string[] => [
  ...new Set(
    nodes
      .filter((_, i) => i % 100 === 0)
      .map(({ gossip }) => {
        const candidates = [...gossip.alive()].sort().map(node => ({ node }))
        return addresses.map(address => elect(address, candidates)).join(' ')
      }),
  ),
]

/** Tells every node of all, as gossip does; many that compare their tables in pairs take long. */
async function introduce(cluster: Cluster): Promise<void> {
  const herald = cluster.network.host('herald', '10.9.0.1')
  await using socket = await herald.datagrams({ address: '10.9.0.1', port: 7946 })
  const rumours = cluster.all.map(({ name, address }) =>
    encodeMessage({
      type: 'alive',
      incarnation: 1,
      node: name,
      addr: parseAddress(address),
      port: 7946,
      meta: new Uint8Array(),
      vsn: Uint8Array.of(1, 5, 2, 0, 1, 0),
    }),
  )
  for (let from = 0; from < rumours.length; from += 25) {
    const packet = encodePacket(rumours.slice(from, from + 25), { compress: false })
    for (const { address } of cluster.all) socket.send({ address, port: 7946 }, packet)
    await cluster.run(5)
  }
}

story(
  `${count} nodes in one process: all learn of a death and of a leave, agree who owns what, and give up nobody else`,
  { profile: 'fast', join: [], settings: { enableCompression: false }, seeds: [1] },
  async cluster => {
    for (let i = 0; i < count; i++) await cluster.add(`node-${i}`)
    await introduce(cluster)
    await cluster.until('everybody knows everybody', 2000, () => cluster.agreed())
    const victim = cluster.node(`node-${count - 1}`)
    const leaver = cluster.node(`node-${count >> 1}`)
    await cluster.kill(victim)
    const left = leaver.gossip.leave(500)
    const others = cluster.all.filter(node => node !== leaver)
    // A newcomer is given a second before silence is held against it.
    await cluster.until('all know', 2000, () =>
      others.every(({ gossip }) => gossip.alive().size === count - 2),
    )
    await left
    expect(cluster.agreed(others)).toBe(true)
    expect(new Set(cluster.deaths(others).map(death => death.split(': ')[1]))).toEqual(new Set([victim.name]))
    const [view, ...different] = views(others)
    expect(different).toEqual([])
    expect(view?.split(' ').filter(owner => owner === victim.name || owner === leaver.name)).toEqual([])
  },
)
