import { encodeMessage, encodePacket, type PacketMessage } from '@carillon/gossip/wire'
import { expect } from 'vitest'
import { story } from './support/cluster.ts'

const vsn = Uint8Array.of(1, 5, 2, 0, 0, 0)
const none = new Uint8Array()

story(
  'five thousand members that come and go in a burst of packets are few changes to act on',
  { seeds: [1] },
  async cluster => {
    cluster.network.everywhere({ jitterMs: 0 })
    const node = await cluster.add('node-0')
    const socket = await cluster.network
      .host('storm', '10.9.0.1')
      .datagrams({ address: '10.9.0.1', port: 7946 })
    const send = (messages: readonly PacketMessage[]): void => {
      const parts = messages.map(message => encodeMessage(message))
      socket.send({ address: node.address, port: 7946 }, encodePacket(parts, { checksum: false }))
    }
    const names = Array.from({ length: 2500 }, (_, i) => `ghost-${i}`)
    const groups = Array.from({ length: 250 }, (_, i) => names.slice(10 * i, 10 * i + 10))
    for (const group of groups)
      send(
        group.map((name, i) => ({
          type: 'alive',
          incarnation: 1,
          node: name,
          addr: Uint8Array.of(10, 8, 0, i),
          port: 7946,
          meta: none,
          vsn,
        })),
      )
    for (const group of groups)
      send(group.map(name => ({ type: 'dead', incarnation: 1, node: name, from: name })))
    await cluster.run(100)
    expect(node.noticed.filter(({ what }) => what === 'join')).toHaveLength(2500)
    expect(node.noticed.filter(({ what }) => what === 'leave')).toHaveLength(2500)
    expect(node.changes).toBeGreaterThan(0)
    expect(node.changes).toBeLessThanOrEqual(5)
    expect(node.gossip.alive()).toEqual(new Set(['node-0']))
  },
)
