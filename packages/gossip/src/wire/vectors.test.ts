import { readFileSync } from 'node:fs'
import { parseAddress } from '@carillon/core'
import { describe, expect, test } from 'vitest'
import { deriveMetalLBKey, Keyring } from '../keyring.ts'
import {
  decodePacket,
  encodeLabel,
  encodeMessage,
  encodePacket,
  encodeStream,
  type NodeEntry,
  type PacketMessage,
  type StreamMessage,
  StreamReader,
  type StreamSide,
  type WireOptions,
} from './index.ts'
import { lzwCompress, lzwExpand } from './lzw.ts'

// Bytes that memberlist processes of two versions exchanged, with what they mean as an independent decoder found it.

interface Layer {
  readonly layer: 'label' | 'encrypt' | 'compress'
  readonly label?: string
  readonly vsn?: 0 | 1
  readonly nonce?: string
  readonly plain_hex?: string
}

type Json = string | number | boolean | null | readonly number[]

interface Tree {
  readonly name: string
  readonly inner?: Tree
  readonly parts?: readonly Tree[]
  readonly plain_hex?: string
  readonly body?: Readonly<Record<string, Json>>
  readonly payload_hex?: string
  readonly payload_len?: number
  readonly header?: { readonly Join: boolean; readonly Nodes: number; readonly UserStateLen: number }
  readonly nodes?: readonly Readonly<Record<string, Json>>[]
  readonly userState_hex?: string
  readonly userState_len?: number
}

interface Vector {
  readonly name: string
  readonly transport: 'udp' | 'tcp'
  readonly direction?: string
  readonly producer: string
  readonly hex: string
  readonly key?: string
  readonly keyring?: readonly string[]
  readonly label?: string
  readonly decoded: { readonly layers: readonly Layer[]; readonly msg: Tree }
}

const file = new URL('../../fixtures/memberlist-vectors.json', import.meta.url)
const vectors = JSON.parse(readFileSync(file, 'utf8')) as readonly Vector[]

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Addresses of the vectors as the bytes they stand for: an IPv4 address written in IPv6's form has 16. */
function addressBytes(text: string): Uint8Array {
  if (!text.includes(':')) return parseAddress(text)
  return hex(
    text
      .split(':')
      .map(word => word.padStart(4, '0'))
      .join(''),
  )
}

function field(name: string, value: Json): readonly [string, unknown] {
  const property = name.charAt(0).toLowerCase() + name.slice(1)
  if (['Addr', 'SourceAddr', 'Target'].includes(name)) return [property, addressBytes(value as string)]
  if (['Meta', 'Payload'].includes(name)) return [property, hex((value as string | null) ?? '')]
  return [property, name === 'Vsn' ? Uint8Array.from(value as readonly number[]) : value]
}

const types: Readonly<Record<string, string>> = { ackResp: 'ack', nackResp: 'nack' }

function fields(body: Readonly<Record<string, Json>>): object {
  return Object.fromEntries(Object.entries(body).map(([name, value]) => field(name, value)))
}

/** The messages that a vector's tree names, in wire order. */
function messagesOf(tree: Tree): readonly PacketMessage[] {
  if (tree.inner !== undefined) return messagesOf(tree.inner)
  if (tree.parts !== undefined) return tree.parts.flatMap(messagesOf)
  if (tree.name === 'user') return [{ type: 'user', payload: hex(tree.payload_hex as string) }]
  return [{ type: types[tree.name] ?? tree.name, ...fields(tree.body ?? {}) } as PacketMessage]
}

/** Long runs are cut short in the vectors; they are of one byte. */
function run(text: string, length: number): Uint8Array {
  return text.endsWith('...') ? new Uint8Array(length).fill(hex(text.slice(0, 2))[0] as number) : hex(text)
}

function streamMessageOf(tree: Tree): StreamMessage {
  const {
    header,
    nodes = [],
    userState_hex = '',
    userState_len = 0,
    payload_hex = '',
    payload_len = 0,
  } = tree
  if (tree.name === 'user') return { type: 'user', payload: run(payload_hex, payload_len) }
  if (header === undefined) return messagesOf(tree)[0] as StreamMessage
  return {
    type: 'pushPull',
    join: header.Join,
    nodes: nodes.map(node => fields(node) as NodeEntry),
    userState: run(userState_hex, userState_len),
  }
}

function nodesOf(tree: Tree): readonly Tree[] {
  return [
    tree,
    ...(tree.inner === undefined ? [] : nodesOf(tree.inner)),
    ...(tree.parts ?? []).flatMap(nodesOf),
  ]
}

/** The options of a node that sends a vector's bytes, and reads them. */
function optionsOf({ decoded, key, keyring, label }: Vector): WireOptions {
  const encrypted = decoded.layers.find(layer => layer.layer === 'encrypt')
  const named = decoded.layers.find(layer => layer.layer === 'label')?.label ?? label ?? ''
  return {
    label: encodeLabel(named),
    keys: new Keyring((keyring ?? (key === undefined ? [] : [key])).map(hex)),
    compress:
      decoded.layers.some(layer => layer.layer === 'compress') ||
      nodesOf(decoded.msg).some(tree => tree.name === 'compress'),
    encryptionVersion: encrypted?.vsn ?? 1,
    nonce: () => hex(encrypted?.nonce ?? ''),
  }
}

const speaker = ({ direction = '' }: Vector): StreamSide =>
  direction.startsWith('dialer') ? 'dialer' : 'acceptor'

describe.each(vectors.filter(({ transport }) => transport === 'udp'))('the packet $name', vector => {
  const messages = messagesOf(vector.decoded.msg)
  const options = optionsOf(vector)

  test('is read as what it means', () => {
    const found = decodePacket(hex(vector.hex), options)
    expect(found.dropped).toEqual([])
    expect(found.messages.map(given)).toEqual(messages)
  })

  test('is written to the same bytes', () => {
    const parts = messages.map(message => encodeMessage(whole(message)))
    const checksum = vector.decoded.msg.name === 'hasCrc'
    expect(toHex(encodePacket(parts, { ...options, checksum }))).toBe(vector.hex)
  })
})

/** A message without the fields that were not there. */
function given(message: PacketMessage): PacketMessage {
  if (message.type !== 'ping' && message.type !== 'indirectPing') return message
  const entries = Object.entries(message).filter(
    ([key, value]) => !key.startsWith('source') || value.length !== 0,
  )
  return Object.fromEntries(entries) as unknown as PacketMessage
}

function whole(message: PacketMessage): PacketMessage {
  return { sourceAddr: new Uint8Array(0), sourcePort: 0, sourceNode: '', ...message } as PacketMessage
}

describe.each(vectors.filter(({ transport }) => transport === 'tcp'))('the stream $name', vector => {
  const message = streamMessageOf(vector.decoded.msg)
  const options = optionsOf(vector)
  const reader = () => new StreamReader(speaker(vector) === 'dialer' ? 'acceptor' : 'dialer', options)

  test('is read as what it means, at its last byte and without an end', () => {
    expect(reader().push(hex(vector.hex))).toEqual({ message })
  })

  test('is read just so when every byte comes alone', () => {
    const one = reader()
    const bytes = [...hex(vector.hex)]
    const results = bytes.map(byte => one.push(Uint8Array.of(byte)))
    expect(results.slice(0, -1).every(result => result === undefined)).toBe(true)
    expect(results.at(-1)).toEqual({ message })
  })

  test('is written to the same bytes', () => {
    const integers = vector.producer.includes('go-msgpack 0.5') ? 'unsigned' : 'signed'
    expect(toHex(encodeStream(speaker(vector), message, { ...options, integers }))).toBe(vector.hex)
  })
})

test('every compressed content compresses to the same bytes again', () => {
  const contents = vectors.flatMap(({ decoded: { layers, msg } }) =>
    [
      ...nodesOf(msg).filter(({ name }) => name === 'compress'),
      ...layers.filter(one => one.layer === 'compress'),
    ].map(one => hex(one.plain_hex as string)),
  )
  expect(contents.length).toBeGreaterThanOrEqual(4)
  for (const content of contents) {
    const packed = lzwCompress(content) as Uint8Array
    expect(vectors.some(vector => JSON.stringify(vector).includes(toHex(packed)))).toBe(true)
    expect(lzwExpand(packed, content.length)).toEqual(content)
  }
})

test('the key of MetalLB-style vectors is the one derived from the secret', () => {
  const secret = new TextEncoder().encode('AAECAwQFBgcICQoLDA0ODw')
  const keys = vectors.filter(({ name }) => name.includes('metallb-style')).map(({ key }) => key)
  expect(keys.length).toBeGreaterThan(0)
  expect(new Set(keys)).toEqual(new Set([toHex(deriveMetalLBKey(secret) as Uint8Array)]))
})
