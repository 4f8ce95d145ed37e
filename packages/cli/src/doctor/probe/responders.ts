import {
  arpOperations,
  broadcastMac,
  decodeArp,
  decodeEthernet,
  encodeArp,
  encodeEthernet,
  etherTypes,
} from '@carillon/arp'
import { CarillonError, type Clock, formatMac, type Link, type Network, parseAddress } from '@carillon/core'

/** A station that answered. */
export interface Station {
  readonly address: string
  readonly mac: string
  readonly interface: string
}

export interface AskOptions {
  readonly network: Network
  readonly clock: Clock
  /** IPv4. */
  readonly addresses: readonly string[]
  /** Ethernet interfaces to ask on. */
  readonly links: readonly Link[]
  /** Milliseconds to listen for. */
  readonly forMs: number
}

const anyone = new Uint8Array(4)

/**
 * Asks by ARP who has these addresses, with probes (RFC 5227 section 2.1.1), which leave no trace in anybody's table. Twice, since a frame
 * can be lost. Throws what opening a packet socket throws.
 */
export async function askStations(options: AskOptions): Promise<readonly Station[]> {
  const { network, clock, addresses, links, forMs } = options
  const wanted = new Map(addresses.map(address => [parseAddress(address).join('.'), address]))
  const stations = new Map<string, Station>()
  const found = await Promise.all(
    links.map(async link => {
      const frames = await network.frames(link.index, etherTypes.arp)
      const own = formatMac(link.mac)
      frames.receive(frame => {
        const reply = read(frame)
        const address = reply && wanted.get(reply.sender.address.join('.'))
        if (!reply || address === undefined) return
        const mac = formatMac(reply.sender.mac)
        if (mac === own) return
        stations.set(`${address} ${mac} ${link.name}`, { address, mac, interface: link.name })
      })
      return { frames, link }
    }),
  )
  try {
    for (let round = 0; round < 2; round++) {
      for (const { frames, link } of found)
        for (const address of addresses) frames.send(probe(link.mac, parseAddress(address)))
      await new Promise<void>(resolve => clock.after(forMs / 2, resolve))
    }
    return [...stations.values()]
  } finally {
    for (const { frames } of found) await frames[Symbol.asyncDispose]()
  }
}

const probe = (mac: Uint8Array, address: Uint8Array): Uint8Array =>
  encodeEthernet({
    destination: broadcastMac,
    source: mac,
    etherType: etherTypes.arp,
    payload: encodeArp({
      operation: arpOperations.request,
      sender: { mac, address: anyone },
      target: { mac: new Uint8Array(6), address },
    }),
  })

/** An ARP reply; undefined for anything else. */
function read(frame: Uint8Array): ReturnType<typeof decodeArp> | undefined {
  try {
    const packet = decodeArp(decodeEthernet(frame).payload)
    return packet.operation === arpOperations.reply ? packet : undefined
  } catch (error) {
    if (error instanceof CarillonError) return undefined
    throw error
  }
}
