import fc from 'fast-check'
import { expect, it } from 'vitest'
import { IntervalSet } from './interval-set.ts'

it('answers as a plain set does, whatever is added and removed', () => {
  const operations = fc.array(fc.tuple(fc.boolean(), fc.nat(40)), { maxLength: 120 })
  fc.assert(
    fc.property(operations, steps => {
      const runs = new IntervalSet()
      const plain = new Set<number>()
      for (const [add, x] of steps) {
        if (add) {
          runs.add(x)
          plain.add(x)
        } else {
          runs.delete(x)
          plain.delete(x)
        }
      }
      for (let x = 0; x <= 42; x++) {
        let free = x
        while (plain.has(free)) free++
        expect(runs.nextFree(x)).toBe(free)
        expect(runs.nextUsed(x)).toBe(
          Math.min(Number.POSITIVE_INFINITY, ...[...plain].filter(one => one >= x)),
        )
      }
    }),
  )
})

it('finds the first free number far from zero as well', () => {
  const runs = new IntervalSet()
  const far = 2 ** 52 - 3
  for (const x of [far, far + 1]) runs.add(x)
  expect(runs.nextFree(far)).toBe(far + 2)
  expect(runs.nextUsed(0)).toBe(far)
})
