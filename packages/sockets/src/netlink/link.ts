import { CarillonError, type Link } from '@carillon/core'
import { littleEndian } from '../linux.ts'
import { copyOf, type NetlinkMessage, readAttributes } from './message.ts'

/** A link without its addresses, which come in messages of their own. */
export type LinkFacts = Omit<Link, 'addresses'>

const ETHERNET = 1
const IFLA = { address: 1, name: 3, mtu: 4, master: 10 } as const
const IFF = { up: 0x1, broadcast: 0x2, loopback: 0x8, noArp: 0x80, lowerUp: 0x10000 } as const
const nothing = new Uint8Array(0)
const decoder = new TextDecoder()

/**
 * Reads RTM_NEWLINK and RTM_DELLINK: `struct ifinfomsg` is family (1), padding (1), type (2), index (4), flags (4), change (4), then
 * attributes. Undefined for what a bridge says of its ports in the same kind of message. Throws `SHORT_READ`, `BAD_LENGTH`.
 */
export function readLink({ body }: NetlinkMessage): LinkFacts | undefined {
  if (body.byteLength < 16) {
    throw new CarillonError('SHORT_READ', `a link message has ${body.byteLength} bytes`, {
      left: body.byteLength,
    })
  }
  if (body.getUint8(0) !== 0) return undefined
  const flags = body.getUint32(8, littleEndian)
  const attributes = readAttributes(body, 16)
  const number = (type: number): number | undefined => {
    const value = attributes.get(type)
    return value && value.byteLength >= 4 ? value.getUint32(0, littleEndian) : undefined
  }
  const name = attributes.get(IFLA.name)
  const mac = attributes.get(IFLA.address)
  const master = number(IFLA.master)
  return {
    index: body.getInt32(4, littleEndian),
    name: name ? decoder.decode(copyOf(name)).replace(/\0.*$/s, '') : '',
    mac: mac?.byteLength === 6 && body.getUint16(2, littleEndian) === ETHERNET ? copyOf(mac) : nothing,
    mtu: number(IFLA.mtu) ?? 0,
    up: (flags & IFF.up) !== 0,
    carrier: (flags & IFF.lowerUp) !== 0,
    broadcast: (flags & IFF.broadcast) !== 0,
    loopback: (flags & IFF.loopback) !== 0,
    noArp: (flags & IFF.noArp) !== 0,
    ...(master ? { master } : {}),
  }
}

/** Whether two readings of one link say the same. */
export function sameFacts(a: LinkFacts, b: LinkFacts): boolean {
  return (
    a.name === b.name &&
    a.mtu === b.mtu &&
    a.up === b.up &&
    a.carrier === b.carrier &&
    a.broadcast === b.broadcast &&
    a.loopback === b.loopback &&
    a.noArp === b.noArp &&
    a.master === b.master &&
    a.mac.length === b.mac.length &&
    a.mac.every((byte, i) => byte === b.mac[i])
  )
}
