import { FakeClock, MemoryNetwork, seededRandom, settle } from '@carillon/core/testing'
import { Gossip } from '@carillon/gossip'

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

/** Lets `count` members of the `fast` profile find each other in memory, and counts what they send in so many seconds of rest. */
export async function simulate(count: number, seconds: number): Promise<Traffic> {
  const clock = new FakeClock()
  const network = new MemoryNetwork({ clock, random: seededRandom(count) })
  network.everywhere({ delayMs: 0.2, jitterMs: 0.3 })
  const members: Gossip[] = []
  const pass = async (ms: number): Promise<void> => {
    for (const until = clock.now() + ms; clock.now() < until; ) {
      clock.advance(sliceMs)
      await settle()
    }
  }
  try {
    for (let i = 1; i <= count; i++) {
      const address = `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`
      members.push(
        await Gossip.create({
          name: `node-${i}`,
          network: network.host(`host-${i}`, address),
          clock,
          random: seededRandom(count * 10_007 + i),
          bind: { address, port: 7946 },
          // Nobody answers more than 128 at once.
          join: i === 1 ? [] : ['10.0.0.1', `10.0.0.${1 + (i % 16)}`],
          profile: 'fast',
          // Makes a thousand joins cheaper, and no difference at rest.
          settings: { enableCompression: false },
        }),
      )
    }
    const resting = (): boolean => members.every(member => member.alive().size === count)
    for (let waited = 0; !resting(); waited += 500) {
      if (waited > 120_000)
        throw new Error(`${count} simulated members do not come to rest within two minutes`)
      await pass(500)
    }
    // The last news has its turn.
    await pass(2000)
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
