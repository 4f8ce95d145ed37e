import type { Endpoint, Network } from '@carillon/core'
import { Keyring } from '@carillon/gossip'
import { decodePacket } from '@carillon/gossip/wire'
import { expect } from 'vitest'
import { story } from '../cluster/support/cluster.ts'

/** A packet that went over the wire. */
interface Overheard {
  readonly to: Endpoint
  readonly bytes: Uint8Array
}

/** A network on whose wire somebody listens. */
const tapped = (network: Network, heard: Overheard[]): Network => ({
  datagrams: async (at, options) => {
    const socket = await network.datagrams(at, options)
    return {
      local: socket.local,
      send(to, bytes) {
        heard.push({ to, bytes: bytes.slice() })
        socket.send(to, bytes)
      },
      receive: handle => socket.receive(handle),
      [Symbol.asyncDispose]: () => socket[Symbol.asyncDispose](),
    }
  },
  listen: (at, options) => network.listen(at, options),
  connect: (to, options) => network.connect(to, options),
  frames: (link, type, filter) => network.frames(link, type, filter),
  icmp6: (link, types) => network.icmp6(link, types),
  links: () => network.links(),
})

const keyring = (): Keyring => new Keyring([new Uint8Array(32).fill(5)])

story(
  'what was overheard does no harm when it is sent again, though it opens with the key: who was dead once and lives stays alive',
  { profile: 'fast', seeds: [1, 2] },
  async cluster => {
    const heard: Overheard[] = []
    for (const name of ['node-0', 'node-1', 'node-2']) await cluster.add(name, { keyring: keyring() })
    const bind = { address: '10.0.1.1', port: 7946 }
    const network = tapped(cluster.network.host('tapped', bind.address), heard)
    await cluster.add('node-3', { keyring: keyring(), bind, network })
    await cluster.until('everybody knows everybody', 20_000, () => cluster.agreed())
    await cluster.run(1000)
    const victim = cluster.node('node-2')
    await cluster.kill(victim)
    await cluster.until('it is dead', 20_000, () => cluster.agreed())
    await cluster.run(1000)
    await cluster.add('node-2', { keyring: keyring(), address: victim.address })
    await cluster.until('it is back', 20_000, () => cluster.agreed())
    await cluster.run(1000)

    const old = heard.splice(0)
    const rumours = old.flatMap(({ bytes }) => decodePacket(bytes, { keys: keyring() }).messages)
    expect(rumours).toContainEqual(expect.objectContaining({ type: 'dead', node: 'node-2' }))
    cluster.forget()
    const stranger = await cluster.network
      .host('stranger', '10.9.0.1')
      .datagrams({ address: '10.9.0.1', port: 7946 })
    for (const [i, { bytes }] of old.entries()) {
      for (const node of cluster.all) stranger.send({ address: node.address, port: 7946 }, bytes)
      // As fast as they are taken at all: a flood is another story.
      if (i % 20 === 19) await cluster.run(100)
    }
    await cluster.run(5000)
    expect(cluster.deaths()).toEqual([])
    expect(cluster.agreed()).toBe(true)
  },
)
