import type { Reader, Writer } from '@carillon/core'
import { notification, WireFault } from './fault.ts'
import { HEADER, MAX_MESSAGE } from './header.ts'
import { refreshSubtypes } from './iana.ts'
import type { RouteRefreshMessage } from './message.ts'

type Subtype = keyof typeof refreshSubtypes

const names = new Map(
  Object.entries(refreshSubtypes).map(([name, code]) => [code as number, name as Subtype]),
)

/**
 * Reads what follows the header (RFC 2918 section 3, RFC 7313 section 3.2): AFI, subtype, SAFI. `whole` is the message with its
 * header. Route filters behind a request (RFC 5291) are passed over. Throws `BAD_ROUTE_REFRESH` for a marker of the wrong length.
 */
export function readRouteRefresh(r: Reader, whole: Uint8Array): RouteRefreshMessage {
  const afi = r.u16()
  const code = r.u8()
  const safi = r.u8()
  const subtype = names.get(code) ?? code
  if (r.left > 0 && (subtype === 'begin' || subtype === 'end'))
    throw new WireFault(
      'BAD_ROUTE_REFRESH',
      `a ROUTE-REFRESH that marks a ${subtype} has ${whole.length - HEADER} octets, where it has 4`,
      notification('routeRefresh', 'invalidLength', whole.subarray(0, MAX_MESSAGE - HEADER - 2)),
    )
  return { type: 'routeRefresh', afi, safi, subtype }
}

/** Writes what follows the header. */
export function writeRouteRefresh(w: Writer, { afi, safi, subtype }: RouteRefreshMessage): void {
  w.u16(afi)
    .u8(typeof subtype === 'number' ? subtype : refreshSubtypes[subtype])
    .u8(safi)
}
