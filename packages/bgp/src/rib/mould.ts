import { type AddressBytes, Writer } from '@carillon/core'
import {
  type Attributes,
  afis,
  attributeCodes,
  attributeFlags,
  type Dialect,
  HEADER,
  type RouteFamily,
  safis,
  writeAttributes,
  writeHeader,
} from '../wire/index.ts'

/** An UPDATE without its prefixes: what comes before and behind them, and the lengths that count them. */
export interface Mould {
  /** From the header on. */
  readonly before: Uint8Array
  readonly after: Uint8Array
  /** 16-bit lengths in `before`: where each is, and how much it counts beside the prefixes. */
  readonly lengths: readonly { readonly at: number; readonly plus: number }[]
}

const nothing = new Uint8Array(0)
const EXTENDED = attributeFlags.optional | attributeFlags.extendedLength
/** Where path attributes begin in an UPDATE that withdraws nothing. */
const ATTRIBUTES = HEADER + 4
/** Where the value of the first of them begins. */
const VALUE = ATTRIBUTES + 4

function mould(
  before: (w: Writer) => void,
  after: Uint8Array,
  lengths: (size: number) => Mould['lengths'],
): Mould {
  const w = new Writer().bytes(new Uint8Array(HEADER))
  before(w)
  const bytes = w.finish()
  writeHeader(bytes, 'update')
  return { before: bytes, after, lengths: lengths(bytes.length) }
}

/** Of prefixes in a first attribute, behind `head`. */
const multiprotocol = (code: number, head: (w: Writer) => void, others: Uint8Array): Mould =>
  mould(
    w => {
      w.u16(0).u16(0).u8(EXTENDED).u8(code).u16(0)
      head(w)
    },
    others,
    size => [
      { at: HEADER + 2, plus: size - ATTRIBUTES + others.length },
      { at: ATTRIBUTES + 2, plus: size - VALUE },
    ],
  )

/**
 * An UPDATE that announces prefixes with these attributes: IPv4 ones at its end (RFC 4271 section 4.3), IPv6 ones, and IPv4 ones
 * with an IPv6 next hop (RFC 8950), in MP_REACH_NLRI. Throws `BAD_LENGTH` where attributes have no valid size.
 */
export function announcement(
  family: RouteFamily,
  nextHops: readonly AddressBytes[],
  attributes: Attributes,
  dialect: Dialect,
): Mould {
  const [nextHop] = nextHops
  const w = new Writer()
  if (family === 'ipv4' && nextHop?.length === 4) {
    writeAttributes(w, { ...attributes, nextHop }, dialect)
    return mould(
      one => one.u16(0).sized(16, () => one.bytes(w.finish())),
      nothing,
      () => [],
    )
  }
  writeAttributes(w, attributes, dialect)
  return multiprotocol(
    attributeCodes.mpReach,
    one => {
      one
        .u16(afis[family])
        .u8(safis.unicast)
        .sized(8, () => {
          for (const hop of nextHops) one.bytes(hop)
        })
      one.u8(0)
    },
    w.finish(),
  )
}

/** An UPDATE that withdraws prefixes: those of IPv4 at its beginning, unless `nextHops` are such that MP_REACH_NLRI announces them. */
export function withdrawal(family: RouteFamily, nextHops: readonly AddressBytes[]): Mould {
  if (family === 'ipv4' && nextHops[0]?.length !== 16)
    return mould(
      w => w.u16(0),
      new Uint8Array(2),
      () => [{ at: HEADER, plus: 0 }],
    )
  return multiprotocol(attributeCodes.mpUnreach, w => w.u16(afis[family]).u8(safis.unicast), nothing)
}
