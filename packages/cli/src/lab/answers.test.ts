import { expect, it } from 'vitest'
import { sumUp } from './answers.ts'

it('finds the longest time without an answer, who answered first and last, and how often that changed', () => {
  const answers = [
    { at: 0, node: 'a' },
    { at: 10, node: 'a' },
    { at: 250, node: 'b' },
    { at: 260, node: 'b' },
  ]
  expect(sumUp(answers)).toEqual({ gapMs: 240, from: 'a', to: 'b', changes: 1 })
})

it('has nothing to say of fewer than two answers', () => {
  expect(sumUp([])).toBeUndefined()
  expect(sumUp([{ at: 0, node: 'a' }])).toBeUndefined()
})
