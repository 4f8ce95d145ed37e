import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Refusal } from '../api/status.ts'
import { Message } from './message.ts'
import { readObject } from './read-object.ts'

const wrapped = (apiVersion: string, kind: string, raw: Message): Buffer =>
  Buffer.concat([
    Buffer.from('k8s\0', 'latin1'),
    new Message().message(1, new Message().text(1, apiVersion).text(2, kind)).message(2, raw).bytes,
  ])

const pair = (key: string, value: string): Message => new Message().text(1, key).text(2, value)

describe('an object in protobuf', () => {
  it('is the same as in JSON', () => {
    const metadata = new Message()
      .text(1, 'name')
      .text(2, '')
      .text(3, 'default')
      .message(11, pair('a', '1'))
      .message(11, pair('b', ''))
      .text(14, 'example.com/x')
      .text(14, 'example.com/y')
    const secret = new Message()
      .message(1, metadata)
      .message(2, pair('key', 'value'))
      .text(3, 'Opaque')
      .flag(5, true)
    expect(readObject(wrapped('v1', 'Secret', secret))).toEqual({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name: 'name',
        namespace: 'default',
        labels: { a: '1', b: '' },
        finalizers: ['example.com/x', 'example.com/y'],
      },
      data: { key: Buffer.from('value').toString('base64') },
      type: 'Opaque',
      immutable: true,
    })
  })

  it('may say how to delete', () => {
    const options = new Message()
      .whole(1, 5)
      .message(2, new Message().text(1, 'u-1'))
      .text(4, 'Background')
      .text(5, 'All')
    expect(readObject(wrapped('v1', 'DeleteOptions', options))).toEqual({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds: 5,
      preconditions: { uid: 'u-1' },
      propagationPolicy: 'Background',
      dryRun: ['All'],
    })
  })

  it('of a kind that is not known in protobuf is refused', () => {
    expect(() => readObject(wrapped('v1', 'Pod', new Message()))).toThrow(
      expect.objectContaining({ details: { status: 415, reason: 'UnsupportedMediaType' } }),
    )
  })

  it('is read or refused, whatever the bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.uint8Array().map(raw => Buffer.concat([Buffer.from('k8s\0', 'latin1'), raw])),
      fc
        .uint8Array()
        .map(raw =>
          Buffer.concat([
            Buffer.from('k8s\0', 'latin1'),
            new Message().message(1, pair('v1', 'ConfigMap')).text(2, Buffer.from(raw).toString('latin1'))
              .bytes,
          ]),
        ),
    )
    fc.assert(
      fc.property(bytes, raw => {
        try {
          readObject(Buffer.from(raw))
        } catch (error) {
          expect(error).toBeInstanceOf(Refusal)
        }
      }),
    )
  })
})
