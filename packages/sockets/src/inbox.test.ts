import { expect, test } from 'vitest'
import { Inbox } from './inbox.ts'
import type { Arena } from './native.ts'

function arena(...lengths: readonly number[]): Arena {
  return {
    slots: 2,
    slotSize: 16,
    nameSize: 4,
    data: Uint8Array.from({ length: 32 }, (_, i) => i),
    names: Uint8Array.from({ length: 8 }, (_, i) => i),
    lengths: Int32Array.from(lengths),
    hopLimits: Int32Array.from([255, -1]),
  }
}

test('messages are views of their slots', () => {
  const inbox = new Inbox(arena(3, 2))
  expect(inbox.message(0)).toEqual(Uint8Array.from([0, 1, 2]))
  expect(inbox.message(1)).toEqual(Uint8Array.from([16, 17]))
  expect(inbox.name(1)).toEqual(Uint8Array.from([4, 5, 6, 7]))
  expect([inbox.hopLimit(0), inbox.hopLimit(1)]).toEqual([255, -1])
})

test('a steady stream of frames makes no new views', () => {
  const shared = arena(3, 3)
  const inbox = new Inbox(shared)
  const first = inbox.message(0)
  shared.data[0] = 99
  expect(inbox.message(0)).toBe(first)
  expect(first?.[0]).toBe(99)
  shared.lengths[0] = 4
  expect(inbox.message(0)).toHaveLength(4)
})

test('what did not fit is no message, and an empty one is', () => {
  const inbox = new Inbox(arena(-1, 0))
  expect(inbox.message(0)).toBeUndefined()
  expect(inbox.message(1)).toHaveLength(0)
})
