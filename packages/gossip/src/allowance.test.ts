import { expect, it } from 'vitest'
import { Allowance } from './allowance.ts'

/** How many of a thousand packets are admitted at a moment. */
function admitted(allowance: Allowance, member: string | undefined, now: number): number {
  let count = 0
  for (let i = 0; i < 2000; i++) if (allowance.admits(member, now)) count++
  return count
}

it('a member may send so many packets in a tenth of a second, and as many in the next', () => {
  const allowance = new Allowance()
  expect(admitted(allowance, 'a', 0)).toBe(512)
  expect(admitted(allowance, 'a', 99)).toBe(0)
  expect(admitted(allowance, 'a', 100)).toBe(512)
})

it('what one sends is not held against another', () => {
  const allowance = new Allowance()
  admitted(allowance, 'a', 0)
  admitted(allowance, undefined, 0)
  expect(admitted(allowance, 'b', 0)).toBe(512)
})

it('strangers share what they may send, whoever they are', () => {
  const allowance = new Allowance()
  expect(admitted(allowance, undefined, 0)).toBe(1024)
  expect(admitted(allowance, undefined, 50)).toBe(0)
  expect(admitted(allowance, undefined, 120)).toBe(1024)
})
