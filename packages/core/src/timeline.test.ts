import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Timeline } from './timeline.ts'

it('gives back what is planned in order of time, then of planning, without what was cancelled', () => {
  const steps = fc.array(fc.record({ at: fc.integer({ min: 0, max: 20 }), cancel: fc.boolean() }), {
    maxLength: 300,
  })
  fc.assert(
    fc.property(steps, plans => {
      const timeline = new Timeline()
      const taken: number[] = []
      const cancels = plans.map(({ at }, index) => timeline.plan(at, () => taken.push(index)))
      for (const [index, { cancel }] of plans.entries()) if (cancel) cancels[index]?.()
      const wanted = [...plans.entries()]
        .filter(([, plan]) => !plan.cancel)
        .sort(([i, a], [j, b]) => a.at - b.at || i - j)
      expect(timeline.size).toBe(wanted.length)
      expect(timeline.next).toBe(wanted[0]?.[1].at)
      for (let moment = timeline.take(20); moment; moment = timeline.take(20)) moment.run()
      expect(taken).toEqual(wanted.map(([index]) => index))
      expect(timeline.size).toBe(0)
    }),
  )
})

it('gives nothing before its time, and a late cancel changes nothing', () => {
  const timeline = new Timeline()
  const cancel = timeline.plan(10, () => {})
  expect(timeline.take(9)).toBeUndefined()
  expect(timeline.take(10)?.at).toBe(10)
  cancel()
  expect(timeline.size).toBe(0)
})
