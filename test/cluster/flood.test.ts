import type { Endpoint } from '@carillon/core'
import { encodeMessage, encodePacket, encodeStream, type PacketMessage } from '@carillon/gossip/wire'
import { expect } from 'vitest'
import { type Cluster, type Node, story } from './support/cluster.ts'

const vsn = Uint8Array.of(1, 5, 2, 0, 0, 0)
const none = new Uint8Array()
const target = ({ address }: Node): Endpoint => ({ address, port: 7946 })

const ghost = (i: number): PacketMessage => ({
  type: 'alive',
  incarnation: 1,
  node: `ghost-${i}`,
  addr: Uint8Array.of(10, 8, i >> 8, i & 255),
  port: 7946,
  meta: none,
  vsn,
})
const ping = (i: number, node: string): PacketMessage => ({
  type: 'ping',
  seqNo: i,
  node,
  sourceAddr: none,
  sourcePort: 0,
  sourceNode: '',
})

/** A socket on a host of its own. */
const stranger = (cluster: Cluster, address = '10.9.0.1') =>
  cluster.network.host(`stranger ${address}`, address).datagrams({ address, port: 7946 })

/** A hundred thousand packets in two seconds, and what the cluster makes of them; gives how many were not looked at. */
async function flood(cluster: Cluster, victim: Node, packet: (i: number) => Uint8Array): Promise<number> {
  const socket = await stranger(cluster)
  for (let tick = 0; tick < 400; tick++) {
    for (let i = 0; i < 250; i++) socket.send(target(victim), packet(250 * tick + i))
    await cluster.run(5)
  }
  await cluster.run(1000)
  return victim.gossip.stats().dropped.tooManyPackets ?? 0
}

story(
  'a hundred thousand pings of a stranger hold up nobody: one packet in five is answered, and all members go on living',
  { profile: 'fast', seeds: [1] },
  async cluster => {
    const nodes = await cluster.form(5)
    await cluster.run(1000)
    cluster.forget()
    const victim = cluster.node('node-2')
    const before = victim.gossip.stats().packetsSent
    const packets = Array.from({ length: 64 }, (_, i) => encodePacket([encodeMessage(ping(i, victim.name))]))
    const refused = await flood(cluster, victim, i => packets[i % 64] as Uint8Array)
    expect(refused).toBeGreaterThan(75_000)
    expect(victim.gossip.stats().packetsSent - before).toBeLessThan(25_000)
    expect(nodes.flatMap(({ noticed }) => noticed)).toEqual([])
  },
)

story(
  'a hundred thousand packets of rumours from a stranger are few to handle, and no member is suspected meanwhile',
  { profile: 'fast', seeds: [1] },
  async cluster => {
    const nodes = await cluster.form(5)
    await cluster.run(1000)
    cluster.forget()
    const victim = cluster.node('node-2')
    // Of nobody that is known: each costs a look, and changes nothing.
    const rumour = (i: number): PacketMessage => ({ type: 'dead', incarnation: 1, node: `x${i}`, from: 'y' })
    const packet = encodePacket(Array.from({ length: 40 }, (_, i) => encodeMessage(rumour(i))))
    const refused = await flood(cluster, victim, () => packet)
    const { dropped, waiting } = victim.gossip.stats()
    expect(refused).toBeGreaterThan(75_000)
    expect(dropped.queueFull).toBeGreaterThan(100_000)
    expect(waiting).toBe(0)
    expect(nodes.flatMap(({ noticed }) => noticed)).toEqual([])
  },
)

story(
  'rumours that come faster than they are handled wait, in bounded number; pings are answered before them',
  { profile: 'fast', seeds: [1] },
  async cluster => {
    cluster.network.everywhere({ jitterMs: 0 })
    const node = await cluster.add('node-0', { join: [] })
    const socket = await stranger(cluster)
    const answered: number[] = []
    socket.receive(() => answered.push(node.noticed.length))
    for (let i = 0; i < 1000; i++) {
      const ghosts = Array.from({ length: 10 }, (_, k) => encodeMessage(ghost(10 * i + k)))
      socket.send(target(node), encodePacket(ghosts))
    }
    socket.send(target(node), encodePacket([encodeMessage(ping(7, 'node-0'))]))
    await cluster.run(1)
    expect(answered).toHaveLength(1)
    expect(node.gossip.stats().waiting).toBe(4096)
    expect(node.gossip.stats().dropped).toEqual({ queueFull: 10_000 - 1024 - 4096 })
    await cluster.run(100)
    expect(node.gossip.stats().waiting).toBe(0)
    expect(node.gossip.alive().size).toBe(1 + 1024 + 4096)
  },
)

story(
  'a member that floods another with rumours does not keep it from hearing of a death in time',
  { profile: 'fast', seeds: [1, 2] },
  async cluster => {
    await cluster.form(6)
    await cluster.run(1000)
    cluster.forget()
    const [victim, hostile, mortal] = ['node-1', 'node-2', 'node-3'].map(name => cluster.node(name))
    if (!victim || !hostile || !mortal) return
    await hostile.gossip[Symbol.asyncDispose]()
    cluster.nodes.delete(hostile.name)
    const socket = await cluster.network.host('hostile').datagrams({ address: hostile.address, port: 7946 })
    const packet = encodePacket(
      Array.from({ length: 40 }, (_, i) =>
        encodeMessage({ type: 'dead', incarnation: 1, node: `x${i}`, from: 'y' }),
      ),
    )
    const storm = async (ms: number): Promise<void> => {
      for (let left = ms; left > 0; left -= 5) {
        for (let i = 0; i < 250; i++) socket.send(target(victim), packet)
        await cluster.run(5)
      }
    }
    await storm(200)
    const since = cluster.clock.now()
    await cluster.kill(mortal)
    await storm(800)
    expect(cluster.lastOf('dead', mortal.name, since, [victim])).toBeLessThanOrEqual(600)
    expect(cluster.deaths([victim]).every(death => /node-[23]$/.test(death))).toBe(true)
  },
)

story(
  'one that opens streams and says nothing gets 32 of them for ten seconds, and keeps nobody from joining',
  { profile: 'fast', seeds: [1] },
  async cluster => {
    const node = await cluster.add('node-0', { join: [] })
    const idler = cluster.network.host('idler', '10.9.0.1')
    const opened = Array.from({ length: 200 }, () => idler.connect(target(node)))
    await cluster.run(10)
    const streams = await Promise.all(opened)
    const closed = (): number => streams.filter(({ destroyed }) => destroyed).length
    await cluster.run(100)
    expect(closed()).toBe(200 - 32)
    expect(node.gossip.stats().dropped).toEqual({ tooManyStreams: 200 - 32 })
    await cluster.add('node-1')
    await cluster.until('it has joined', 1000, () => cluster.agreed())
    await cluster.run(10_000)
    expect(closed()).toBe(200)
  },
)

story(
  'streams that never end are held up to 64 MiB in all, and keep nobody from joining',
  { profile: 'fast', seeds: [1] },
  async cluster => {
    const node = await cluster.add('node-0', { join: [] })
    const payload = new Uint8Array(15 * 1024 * 1024)
    const endless = encodeStream('dialer', { type: 'user', payload }, { compress: false }).subarray(0, -1)
    const hosts = Array.from({ length: 6 }, (_, i) => cluster.network.host(`hog ${i}`, `10.9.0.${i + 1}`))
    const opened = hosts.map(host => host.connect(target(node)))
    await cluster.run(10)
    const streams = await Promise.all(opened)
    for (const stream of streams) stream.write(endless)
    await cluster.run(1000)
    expect(streams.filter(({ destroyed }) => destroyed)).toHaveLength(2)
    expect(node.gossip.stats().dropped).toEqual({ streamsFull: 2 })
    await cluster.add('node-1')
    await cluster.until('it has joined', 1000, () => cluster.agreed())
  },
)

story(
  'who accuses the dead without end is answered sparingly',
  { profile: 'fast', seeds: [1] },
  async cluster => {
    await cluster.form(5)
    await cluster.run(1000)
    await cluster.kill(cluster.node('node-4'))
    await cluster.run(2000)
    const victim = cluster.node('node-2')
    const before = victim.gossip.stats().packetsSent
    const suspect = encodeMessage({ type: 'suspect', incarnation: 1, node: 'node-4', from: 'node-1' })
    const packet = encodePacket(Array.from({ length: 20 }, () => suspect))
    await flood(cluster, victim, () => packet)
    expect(victim.gossip.stats().packetsSent - before).toBeLessThan(3000)
  },
)
