import { CarillonError, formatAddress, parseAddress, Reader, Writer } from '@carillon/core'
import { readCapabilities, writeCapabilities } from './capabilities.ts'
import { notification, type SubcodeName, WireFault } from './fault.ts'
import { parameterTypes } from './iana.ts'
import type { Capability, OpenMessage } from './message.ts'

const VERSION = 4

const bad = (what: string, subcode: SubcodeName<'open'>, data?: Uint8Array, cause?: unknown): WireFault =>
  new WireFault('BAD_OPEN', `the OPEN of the peer: ${what}`, notification('open', subcode, data), 'reset', {
    cause,
  })

/**
 * Reads what follows the header (RFC 4271 section 4.2). Throws `BAD_OPEN` where section 6.2, RFC 6286 and RFC 7607 refuse it.
 *
 * ```text
 *  0   1       3       5               9   10
 * +---+-------+-------+---------------+---+----------------------
 * | 4 | AS    | hold  | router ID     |len| optional parameters
 * +---+-------+-------+---------------+---+----------------------
 * ```
 */
export function readOpen(r: Reader): OpenMessage {
  const version = r.u8()
  if (version !== VERSION)
    throw bad(
      `it speaks version ${version}, we speak ${VERSION}`,
      'unsupportedVersion',
      Uint8Array.of(0, VERSION),
    )
  const as = r.u16()
  if (as === 0) throw bad('AS 0 does not exist', 'badPeerAs')
  const holdTime = r.u16()
  if (holdTime === 1 || holdTime === 2)
    throw bad(
      `a hold time of ${holdTime} s is neither 0 nor at least 3`,
      'unacceptableHoldTime',
      Uint8Array.of(0, holdTime),
    )
  const identifier = r.take(4)
  if (identifier.every(byte => byte === 0)) throw bad('its router ID is 0.0.0.0', 'badIdentifier')
  const capabilities = readParameters(r)
  if (capabilities.some(one => one.name === 'fourOctetAs' && one.as === 0))
    throw bad('AS 0 does not exist', 'badPeerAs')
  return { type: 'open', version, as, holdTime, routerId: formatAddress(identifier), capabilities }
}

/** The optional parameters with their length, in the plain or in the extended form (RFC 9072 section 2). */
function readParameters(r: Reader): readonly Capability[] {
  const length = r.u8()
  const bytes = r.rest()
  const inside = new Reader(bytes)
  const capabilities: Capability[] = []
  try {
    const extended = length > 0 && bytes[0] === parameterTypes.extended
    if (extended) inside.skip(1)
    const counted = extended ? inside.u16() : length
    if (inside.left !== counted)
      throw bad(`its optional parameters claim ${counted} octets and have ${inside.left}`, 'unspecific')
    while (inside.left > 0) {
      const type = inside.u8()
      const parameter = inside.slice(extended ? inside.u16() : inside.u8())
      if (type !== parameterTypes.capabilities)
        throw bad(`optional parameter ${type} is not supported`, 'unsupportedParameter')
      capabilities.push(...readCapabilities(parameter))
    }
    return capabilities
  } catch (cause) {
    throw cause instanceof WireFault ? cause : bad((cause as Error).message, 'unspecific', undefined, cause)
  }
}

/**
 * Writes what follows the header, all capabilities as one parameter; in the extended form (RFC 9072) where the plain one
 * has no room. Throws `BAD_LENGTH` for a capability of more than 255 octets, `BAD_ADDRESS` for a router ID that is no IPv4 address.
 */
export function writeOpen(w: Writer, open: OpenMessage): void {
  const identifier = parseAddress(open.routerId)
  if (identifier.length !== 4)
    throw new CarillonError('BAD_ADDRESS', `the router ID "${open.routerId}" is not an IPv4 address`)
  w.u8(open.version).u16(open.as).u16(open.holdTime).bytes(identifier)
  const inside = new Writer()
  writeCapabilities(inside, open.capabilities)
  const capabilities = inside.finish()
  const size = capabilities.length
  if (size === 0) w.u8(0)
  else if (size + 2 <= 255)
    w.u8(size + 2)
      .u8(parameterTypes.capabilities)
      .u8(size)
      .bytes(capabilities)
  else
    w.u8(255)
      .u8(parameterTypes.extended)
      .sized(16, () => w.u8(parameterTypes.capabilities).sized(16, () => w.bytes(capabilities)))
}
