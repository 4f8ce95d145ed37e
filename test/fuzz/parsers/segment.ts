import { decodeArp, decodeEthernet, decodeIpv6, decodeNdp, etherTypes } from '@carillon/arp'
import { coded, type Parser } from '../parser.ts'

/** Frames of the local segment. */
export const segmentParsers: readonly Parser[] = [
  {
    name: 'arp-frame',
    read: bytes =>
      coded(() => {
        const { etherType, payload } = decodeEthernet(bytes)
        if (etherType !== etherTypes.arp) return 'another type'
        const { operation } = decodeArp(payload)
        return operation < 3 ? `operation ${operation}` : 'another operation'
      }),
  },
  {
    name: 'ndp-frame',
    read: bytes =>
      coded(() => {
        const { payload, source, destination } = decodeIpv6(decodeEthernet(bytes).payload)
        const { message, options } = decodeNdp(payload, source, destination)
        return `${message} with ${options.length} options`
      }),
  },
]
