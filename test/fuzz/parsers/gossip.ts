import { Keyring, parseKeyFile, parseKeys, parseMemberlistConfig } from '@carillon/gossip'
import {
  decodeMessage,
  decodePacket,
  encodeLabel,
  StreamReader,
  type WireOptions,
} from '@carillon/gossip/wire'
import { lzwExpand } from '../../../packages/gossip/src/wire/lzw.ts'
import { coded, kindsOf, type Parser, textOf } from '../parser.ts'

/** The key of the corpus's encrypted packets. */
export const key: Uint8Array = new Uint8Array(32).fill(7)

const settings: Readonly<Record<string, WireOptions>> = {
  plain: {},
  labelled: { label: encodeLabel('blue') },
  encrypted: { keys: new Keyring([key]) },
}

const packet = (bytes: Uint8Array): string =>
  Object.entries(settings)
    .map(([name, options]) => {
      const { messages, dropped } = decodePacket(bytes, options)
      return `${name}: ${kindsOf([...messages.map(({ type }) => type), ...dropped])}`
    })
    .join(', ')

/** In one piece, and byte by byte: both must come to the same. */
function stream(bytes: Uint8Array): string {
  const outcomes: string[] = []
  for (const side of ['acceptor', 'dialer'] as const)
    for (const [name, options] of Object.entries(settings)) {
      const whole = JSON.stringify(new StreamReader(side, options).push(bytes))
      const reader = new StreamReader(side, options)
      let result: unknown
      for (let at = 0; at < bytes.length && result === undefined; at++)
        result = reader.push(bytes.subarray(at, at + 1))
      const pieces = JSON.stringify(result)
      if (whole !== pieces && bytes.length > 0)
        throw new Error(`in one piece it is ${whole}, byte by byte ${pieces}`)
      outcomes.push(`${side} ${name}: ${/"(?:type|dropped)":"(\w+)"/.exec(whole ?? '')?.[1] ?? 'unfinished'}`)
    }
  return outcomes.join(', ')
}

/** What the gossip reads: datagrams, streams, and their parts. */
export const gossipParsers: readonly Parser[] = [
  { name: 'gossip-packet', read: packet },
  { name: 'gossip-stream', read: stream },
  {
    name: 'gossip-message',
    read: bytes => {
      const result = decodeMessage(bytes)
      return typeof result === 'string' ? result : result.type
    },
    words: ['Incarnation', 'Node', 'Addr', 'Port', 'Meta', 'Vsn', 'From', 'SeqNo', 'Target', 'Payload'],
  },
  {
    name: 'gossip-lzw',
    read: bytes => {
      const limit = 64 * 1024
      const result = lzwExpand(bytes, limit)
      if (typeof result === 'string') return result
      if (result.length > limit) throw new Error(`${result.length} bytes came out, ${limit} were allowed`)
      return `expanded by ${Math.round(Math.log2((result.length + 1) / (bytes.length + 1)))}`
    },
  },
  {
    name: 'memberlist-config',
    read: bytes =>
      coded(() => {
        const { warnings, ...rest } = parseMemberlistConfig(textOf(bytes))
        return `${kindsOf(Object.keys(rest))}, ${warnings?.length ?? 0} warnings`
      }),
    words: [
      '"ProbeInterval"',
      '"GossipNodes"',
      '"SuspicionMult"',
      '"1s"',
      'null',
      '-1',
      '1e999',
      '"__proto__"',
    ],
  },
  {
    name: 'key-file',
    read: async bytes => {
      const several = await coded(() => `${parseKeys(bytes).map(({ length }) => length)}`)
      return `${several}, ${await coded(() => `${parseKeyFile(bytes).length}`)}`
    },
    words: ['\n', '=', '=='],
  },
]
