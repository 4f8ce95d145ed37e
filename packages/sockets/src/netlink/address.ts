import { CarillonError, formatAddress, type LinkAddress } from '@carillon/core'
import { linux, littleEndian } from '../linux.ts'
import { copyOf, type NetlinkMessage, readAttributes } from './message.ts'

/** An address and where it lies. */
export interface AddressFacts {
  readonly link: number
  /** Tells apart what the kernel holds as separate addresses of a link. */
  readonly key: string
  readonly address: LinkAddress
}

const IFA = { address: 1, local: 2, flags: 8 } as const
const TENTATIVE = 0x40
const DAD_FAILED = 0x08

function scopeOf(scope: number): LinkAddress['scope'] {
  if (scope < 200) return 'global'
  if (scope < 253) return 'site'
  return scope === 253 ? 'link' : 'host'
}

/**
 * Reads RTM_NEWADDR and RTM_DELADDR: `struct ifaddrmsg` is family (1), prefix length (1), flags (1), scope (1), link (4), then attributes.
 * Undefined for what is not an IP address. Throws `SHORT_READ`, `BAD_LENGTH`.
 */
export function readAddress({ body }: NetlinkMessage): AddressFacts | undefined {
  if (body.byteLength < 8) {
    throw new CarillonError('SHORT_READ', `an address message has ${body.byteLength} bytes`, {
      left: body.byteLength,
    })
  }
  const family = body.getUint8(0)
  const size = family === linux.AF_INET ? 4 : family === linux.AF_INET6 ? 16 : 0
  const attributes = readAttributes(body, 8)
  // On a point-to-point link IFA_ADDRESS is the other end; IFA_LOCAL, where there is one, is ours.
  const remote = attributes.get(IFA.address)
  const local = attributes.get(IFA.local) ?? remote
  if (size === 0 || local?.byteLength !== size) return undefined
  const wide = attributes.get(IFA.flags)
  const flags = wide && wide.byteLength >= 4 ? wide.getUint32(0, littleEndian) : body.getUint8(2)
  const address = formatAddress(copyOf(local))
  const prefixLength = body.getUint8(1)
  const other = remote?.byteLength === size ? formatAddress(copyOf(remote)) : ''
  return {
    link: body.getInt32(4, littleEndian),
    key: `${address}/${prefixLength} ${other}`,
    address: {
      address,
      prefixLength,
      scope: scopeOf(body.getUint8(3)),
      usable: (flags & (TENTATIVE | DAD_FAILED)) === 0,
    },
  }
}
