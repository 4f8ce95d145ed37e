import { type Dialect, decodeMessage, Framer, WireFault } from '@carillon/bgp/wire'
import { decodeControl, decodeEcho, decodeUdpFrame } from '../../../packages/bgp/src/bfd/wire/index.ts'
import { routerMessage } from '../../../packages/bgp/src/unnumbered/router-advertisement.ts'
import { kindsOf, type Parser } from '../parser.ts'

const dialects: readonly Dialect[] = [
  { fourOctetAs: true, extendedMessage: false },
  { fourOctetAs: false, extendedMessage: true },
]

/** All messages of a stream, in two dialects. */
function messages(bytes: Uint8Array): string {
  const outcomes: string[] = []
  for (const dialect of dialects) {
    const framer = new Framer(dialect.extendedMessage)
    try {
      framer.push(bytes)
      for (let message = framer.next(); message !== undefined; message = framer.next()) {
        const decoded = decodeMessage(message, dialect)
        outcomes.push(
          decoded.message.type,
          ...decoded.faults.map(({ message: text }) => text.replace(/\d+/g, 'n')),
        )
      }
    } catch (error) {
      if (!(error instanceof WireFault)) throw error
      outcomes.push(error.message.replace(/\d+/g, 'n'))
    }
  }
  return kindsOf(outcomes)
}

/** What routers send: BGP, BFD and router advertisements. */
export const routingParsers: readonly Parser[] = [
  { name: 'bgp-stream', read: messages },
  {
    name: 'bfd-control',
    read: bytes => {
      const result = decodeControl(bytes)
      return typeof result === 'string' ? result : result.state
    },
  },
  { name: 'bfd-echo', read: bytes => typeof decodeEcho(bytes) },
  { name: 'bfd-udp-frame', read: bytes => typeof decodeUdpFrame(bytes) },
  { name: 'router-advertisement', read: bytes => routerMessage(bytes) ?? 'neither' },
]
