import { expect, it } from 'vitest'
import { EventLog } from './event-log.ts'
import { Subscription } from './subscription.ts'

const text = (log: EventLog, at: number): string | undefined => log.after(at)?.text

it('an event has a name, an id and one line of data', () => {
  const log = new EventLog('epoch')
  log.append('rows', { text: 'two\nlines' })
  expect(text(log, 0)).toBe('event: rows\nid: epoch-1\ndata: {"text":"two\\nlines"}\n\n')
})

it('a reader that names an event goes on after it; of another process, or too old, it begins anew', () => {
  const log = new EventLog('epoch', 200)
  for (let i = 1; i <= 20; i++) log.append('beat', { i })
  expect(log.sequenceOf('epoch-20')).toBe(20)
  expect(log.sequenceOf('epoch-19')).toBe(19)
  for (const id of ['epoch-1', 'epoch-21', 'other-20', 'epoch-', 'epoch--1', 'epoch-1.5', '', 'epoch'])
    expect(log.sequenceOf(id), id).toBeUndefined()
  expect(log.after(19)?.sequence).toBe(20)
  expect(log.after(20)).toBeUndefined()
})

it('after everything was forgotten nobody goes on from what was', () => {
  const log = new EventLog('epoch')
  log.append('beat', {})
  log.clear()
  expect(log.sequenceOf('epoch-1')).toBeUndefined()
  log.append('beat', {})
  expect(log.sequenceOf('epoch-3')).toBe(3)
  expect(log.sequenceOf('epoch-2')).toBe(2)
})

it('a reader takes the beginning, then what the log has, and is lost when that is gone', () => {
  const log = new EventLog('epoch', 100)
  let woken = 0
  const reader = new Subscription(log, ['one', 'two'], log.sequence, () => woken++)
  expect([reader.take(), reader.take(), reader.take()]).toEqual(['one', 'two', undefined])
  log.append('beat', {})
  reader.wake()
  expect(woken).toBe(1)
  expect(reader.take()).toContain('id: epoch-1')
  expect(reader.lost).toBe(false)
  for (let i = 0; i < 20; i++) log.append('beat', {})
  expect(reader.lost).toBe(true)
})
