import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Backlog } from './backlog.ts'

const from = { address: '10.0.0.1', port: 7946 }
const letter = (member: string | undefined, number = 0, length = 8) => ({
  bytes: new Uint8Array(length).fill(number),
  from,
  member,
})

/** Pushes so many, and gives how many were taken. */
function fill(backlog: Backlog, member: string | undefined, count: number, length = 8): number {
  let taken = 0
  for (let i = 0; i < count; i++) if (backlog.push(letter(member, i, length))) taken++
  return taken
}

describe('a backlog of 800', () => {
  it('takes an eighth of one member and half of all strangers, and leaves room for others', () => {
    const backlog = new Backlog(800)
    expect(fill(backlog, undefined, 1000)).toBe(400)
    expect(fill(backlog, 'hostile', 1000)).toBe(100)
    expect(fill(backlog, 'honest', 50)).toBe(50)
    expect(backlog.size).toBe(550)
  })

  it('takes 800 in all', () => {
    const backlog = new Backlog(800)
    for (let i = 0; i < 20; i++) fill(backlog, `member-${i}`, 1000)
    expect(backlog.size).toBe(800)
    expect(backlog.push(letter('another'))).toBe(false)
  })

  it('takes four megabytes in all, however few messages that is', () => {
    const backlog = new Backlog(800)
    expect(fill(backlog, undefined, 100, 64_000)).toBe(65)
  })

  it('has room again for one whose messages were handled', () => {
    const backlog = new Backlog(800)
    fill(backlog, 'a', 1000)
    backlog.shift()
    expect(fill(backlog, 'a', 10)).toBe(1)
  })
})

it('a backlog without depth takes nothing', () => {
  expect(new Backlog(0).push(letter('a'))).toBe(false)
})

it('gives what it took in the order in which it came, whatever comes and goes meanwhile', () => {
  const act = fc.option(fc.constantFrom('a', 'b', undefined), { nil: null })
  fc.assert(
    fc.property(fc.array(act, { maxLength: 200 }), acts => {
      const backlog = new Backlog(24)
      const expected: number[] = []
      acts.forEach((member, i) => {
        if (member === null) expect(backlog.shift()?.bytes[0]).toBe(expected.shift())
        else if (backlog.push(letter(member, i % 256))) expected.push(i % 256)
        expect(backlog.size).toBe(expected.length)
      })
    }),
  )
})
