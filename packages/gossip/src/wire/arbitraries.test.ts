import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NodeEntry, PacketMessage, StreamMessage } from './messages.ts'

// What the tests of this folder draw their messages from.

const u32 = fc.oneof(fc.nat(200), fc.integer({ min: 0, max: 0xffffffff }))
const u16 = fc.oneof(fc.nat(200), fc.nat(0xffff))
const name = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constant('n'.repeat(300)),
)
const address = fc.oneof(
  fc.uint8Array({ minLength: 4, maxLength: 4 }),
  fc.uint8Array({ minLength: 16, maxLength: 16 }),
)
const some = fc.uint8Array({ maxLength: 600 })
const vsn = fc.uint8Array({ minLength: 6, maxLength: 6 })
const source = {
  sourceAddr: fc.oneof(address, fc.constant(new Uint8Array(0))),
  sourcePort: u16,
  sourceNode: name,
}
const type = <T extends string>(value: T) => fc.constant(value)
const claim = { incarnation: u32, node: name, from: name }
const ping = fc.record({ type: type('ping'), seqNo: u32, node: name, ...source })
const ack = fc.record({ type: type('ack'), seqNo: u32, payload: some })
const user = fc.record({ type: type('user'), payload: some })

/** Any message that a datagram can carry. */
export const arbitraryMessage: fc.Arbitrary<PacketMessage> = fc.oneof(
  ping,
  ack,
  user,
  fc.record({
    type: type('indirectPing'),
    seqNo: u32,
    target: address,
    port: u16,
    node: name,
    nack: fc.boolean(),
    ...source,
  }),
  fc.record({ type: type('nack'), seqNo: u32 }),
  fc.record({ type: type('suspect'), ...claim }),
  fc.record({ type: type('dead'), ...claim }),
  fc.record({ type: type('alive'), incarnation: u32, node: name, addr: address, port: u16, meta: some, vsn }),
)

const nodeEntry: fc.Arbitrary<NodeEntry> = fc.record({
  name,
  addr: address,
  port: u16,
  meta: some,
  incarnation: u32,
  state: fc.oneof(fc.nat(3), fc.nat(0x7fffffff)),
  vsn,
})

/** Any message that a dialer can send. */
export const arbitraryRequest: fc.Arbitrary<StreamMessage> = fc.oneof(
  ping,
  user,
  fc.record({
    type: type('pushPull'),
    join: fc.boolean(),
    nodes: fc.oneof(
      fc.array(nodeEntry, { maxLength: 5 }),
      fc
        .tuple(nodeEntry, fc.nat(200))
        .map(([one, count]) => new Array<NodeEntry>(count).fill({ ...one, meta: vsnOf(one) })),
    ),
    userState: some,
  }),
)

const vsnOf = (entry: NodeEntry): Uint8Array => entry.vsn

test('drawn messages include addresses of both lengths', () => {
  const lengths = new Set<number>()
  for (const message of fc.sample(arbitraryMessage, { numRuns: 300, seed: 1 }))
    if (message.type === 'alive') lengths.add(message.addr.length)
  expect(lengths).toEqual(new Set([4, 16]))
})
