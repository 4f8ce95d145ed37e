import { parseAddress } from '@carillon/core'
import { FakeClock, MemoryNetwork, seededRandom, settle } from '@carillon/core/testing'
import { Gossip } from '@carillon/gossip'
import { encodeMessage, encodePacket } from '@carillon/gossip/wire'

/** What a member of a simulated cluster sends, on average: datagrams, without the exchanges over TCP. */
export interface Traffic {
  readonly packetsPerSecond: number
  /** With 42 bytes of headers a packet, as over Ethernet and IPv4. */
  readonly bytesPerSecond: number
  /** Milliseconds of processor time of one member in a second. */
  readonly cpuMs: number
}

const headers = 42
/** From one look at promises to the next, in milliseconds. */
const sliceMs = 5

/** Protocol and delegate versions of a member of the `fast` profile. */
const vsn = Uint8Array.of(1, 5, 2, 0, 1, 0)
const told = 25

const addressOf = (number: number): string => `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`

/** Tells `count` members of the `fast` profile of each other, and counts what they send in so many seconds of rest. */
export async function simulate(count: number, seconds: number): Promise<Traffic> {
  const clock = new FakeClock()
  const network = new MemoryNetwork({ clock, random: seededRandom(count) })
  network.everywhere({ delayMs: 0.2, jitterMs: 0.3 })
  const members: Gossip[] = []
  const numbers = Array.from({ length: count }, (_, i) => i + 1)
  const pass = async (ms: number): Promise<void> => {
    for (const until = clock.now() + ms; clock.now() < until; ) {
      clock.advance(sliceMs)
      await settle()
    }
  }
  try {
    for (const number of numbers) {
      const address = addressOf(number)
      members.push(
        await Gossip.create({
          name: `node-${number}`,
          network: network.host(`host-${number}`, address),
          clock,
          random: seededRandom(count * 10_007 + number),
          bind: { address, port: 7946 },
          profile: 'fast',
          // News is passed on once: rest comes sooner, and is the same.
          settings: { enableCompression: false, retransmitMult: 0 },
        }),
      )
    }
    // A thousand that join each other take a minute of processor time.
    await using herald = await network
      .host('herald', '10.255.0.1')
      .datagrams({ address: '10.255.0.1', port: 7946 })
    for (let from = 0; from < count; from += told) {
      const rumours = numbers.slice(from, from + told).map(number =>
        encodeMessage({
          type: 'alive',
          incarnation: 1,
          node: `node-${number}`,
          addr: parseAddress(addressOf(number)),
          port: 7946,
          meta: new Uint8Array(),
          vsn,
        }),
      )
      const packet = encodePacket(rumours, { compress: false })
      for (const number of numbers) herald.send({ address: addressOf(number), port: 7946 }, packet)
      await pass(sliceMs)
    }
    const resting = (): boolean =>
      members.every(member => member.alive().size === count && member.stats().queuedBroadcasts === 0)
    for (let waited = 0; !resting(); waited += 100) {
      if (waited > 60_000) throw new Error(`${count} simulated members do not come to rest within a minute`)
      await pass(100)
    }
    const sent = (): readonly [packets: number, bytes: number] => {
      const stats = members.map(member => member.stats())
      const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
      return [sum(stats.map(one => one.packetsSent)), sum(stats.map(one => one.bytesSent))]
    }
    const [packetsBefore, bytesBefore] = sent()
    const cpuBefore = process.cpuUsage()
    await pass(seconds * 1000)
    const { user, system } = process.cpuUsage(cpuBefore)
    const [packetsAfter, bytesAfter] = sent()
    const each = count * seconds
    const packets = packetsAfter - packetsBefore
    return {
      packetsPerSecond: packets / each,
      bytesPerSecond: (bytesAfter - bytesBefore + headers * packets) / each,
      cpuMs: (user + system) / 1000 / each,
    }
  } finally {
    for (const member of members) await member[Symbol.asyncDispose]()
  }
}
