import { CarillonError, Reader, type Writer } from '@carillon/core'
import { capabilityCodes } from './iana.ts'
import type { Capability } from './message.ts'

type Known = Exclude<Capability, { readonly name: 'unknown' }>
type Named<Name extends Known['name']> = Extract<Known, { readonly name: Name }>

interface Row<C extends Known> {
  read(r: Reader): C
  write(w: Writer, capability: C): void
  /** No RFC stands behind it: one that cannot be read is kept as `unknown`. */
  readonly tolerant?: true
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

function readText(r: Reader): string {
  const bytes = r.take(r.u8())
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new CarillonError('BAD_LENGTH', 'the name is not UTF-8', {}, { cause })
  }
}

/** A capability without a value. */
const plain = <C extends Known>(capability: C): Row<C> => ({ read: () => capability, write: () => undefined })

// biome-ignore format: a table
const table: { readonly [Name in Known['name']]: Row<Named<Name>> } = {
  /** RFC 4760 section 8: AFI, an octet of no meaning, SAFI. */
  multiprotocol: {
    read: r => {
      const afi = r.u16()
      r.skip(1)
      return { name: 'multiprotocol', afi, safi: r.u8() }
    },
    write: (w, { afi, safi }) => w.u16(afi).u8(0).u8(safi),
  },
  routeRefresh: plain({ name: 'routeRefresh' }),
  enhancedRouteRefresh: plain({ name: 'enhancedRouteRefresh' }),
  /** RFC 8950 section 4: the SAFI takes two octets here. */
  extendedNextHop: {
    read: r => ({
      name: 'extendedNextHop',
      entries: [...r.each(one => ({ afi: one.u16(), safi: one.u16(), nextHopAfi: one.u16() }))],
    }),
    write: (w, { entries }) => {
      for (const { afi, safi, nextHopAfi } of entries) w.u16(afi).u16(safi).u16(nextHopAfi)
    },
  },
  extendedMessage: plain({ name: 'extendedMessage' }),
  /** RFC 4724 section 3, RFC 8538 section 2: R, N, two bits of no meaning, 12 bits of time; AFI, SAFI and F for each family. */
  gracefulRestart: {
    read: r => {
      const word = r.u16()
      return {
        name: 'gracefulRestart',
        restarting: (word & 0x8000) !== 0,
        notification: (word & 0x4000) !== 0,
        restartTime: word & 0xfff,
        families: [...r.each(one => ({ afi: one.u16(), safi: one.u8(), forwarding: (one.u8() & 0x80) !== 0 }))],
      }
    },
    write: (w, { restarting, notification, restartTime, families }) => {
      w.u16((restarting ? 0x8000 : 0) | (notification ? 0x4000 : 0) | (restartTime & 0xfff))
      for (const { afi, safi, forwarding } of families) w.u16(afi).u8(safi).u8(forwarding ? 0x80 : 0)
    },
  },
  fourOctetAs: {
    read: r => ({ name: 'fourOctetAs', as: r.u32() }),
    write: (w, { as }) => w.u32(as),
  },
  hostname: {
    tolerant: true,
    read: r => ({ name: 'hostname', hostName: readText(r), domainName: readText(r) }),
    write: (w, { hostName, domainName }) => {
      for (const text of [hostName, domainName]) w.sized(8, () => w.bytes(encoder.encode(text)))
    },
  },
}

const names = new Map(
  Object.entries(capabilityCodes).map(([name, code]) => [code as number, name as Known['name']]),
)

function readOne(r: Reader): Capability {
  const code = r.u8()
  const value = r.take(r.u8())
  const name = names.get(code)
  if (name === undefined) return { name: 'unknown', code, value }
  const row = table[name]
  try {
    const inside = new Reader(value)
    const capability = row.read(inside)
    if (inside.left > 0)
      throw new CarillonError('BAD_LENGTH', `it has ${inside.left} bytes too many`, { left: inside.left })
    return capability
  } catch (cause) {
    if (row.tolerant) return { name: 'unknown', code, value }
    const why = (cause as Error).message
    throw new CarillonError(
      'BAD_LENGTH',
      `the capability ${code} (${name}) is malformed: ${why}`,
      { code },
      { cause },
    )
  }
}

/**
 * Reads capabilities until nothing is left (RFC 5492 section 4), in their order and as often as they come. Throws
 * `SHORT_READ`, or `BAD_LENGTH` for one that is known and malformed.
 */
export function readCapabilities(r: Reader): readonly Capability[] {
  return [...r.each(readOne)]
}

/** Writes capabilities. Throws `BAD_LENGTH` for one of more than 255 octets. */
export function writeCapabilities(w: Writer, capabilities: readonly Capability[]): void {
  for (const capability of capabilities)
    if (capability.name === 'unknown') w.u8(capability.code).sized(8, () => w.bytes(capability.value))
    else {
      const row = table[capability.name] as Row<Known>
      w.u8(capabilityCodes[capability.name]).sized(8, () => row.write(w, capability))
    }
}
