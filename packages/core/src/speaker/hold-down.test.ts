import { expect, it } from 'vitest'
import { HoldDown } from './hold-down.ts'

/** Who may be elected. */
const names = (holdDown: HoldDown, alive: readonly string[], now: number): string => {
  const { held } = holdDown.look(new Set(alive), now)
  return alive.filter(name => !held.has(name)).join(' ')
}

it('lets a node that was there all along be elected, and one that comes back only after a while', () => {
  const holdDown = new HoldDown('a', 10_000)
  expect(names(holdDown, ['a'], 0)).toBe('a')
  // At its first company a node takes the others for established, and itself for the newcomer.
  expect(names(holdDown, ['a', 'b', 'c'], 1000)).toBe('b c')
  expect(names(holdDown, ['a', 'b', 'c'], 11_000)).toBe('a b c')
  expect(names(holdDown, ['a', 'b'], 20_000)).toBe('a b')
  expect(holdDown.look(new Set(['a', 'b', 'c']), 21_000)).toEqual({ held: new Set(['c']), againMs: 10_000 })
  expect(names(holdDown, ['a', 'b', 'c'], 31_000)).toBe('a b c')
})

it('starts the wait again when the newcomer goes once more', () => {
  const holdDown = new HoldDown('a', 10_000)
  names(holdDown, ['a', 'b'], 0)
  names(holdDown, ['a', 'b', 'c'], 20_000)
  names(holdDown, ['a', 'b'], 25_000)
  expect(names(holdDown, ['a', 'b', 'c'], 29_000)).toBe('a b')
  expect(names(holdDown, ['a', 'b', 'c'], 38_000)).toBe('a b')
  expect(names(holdDown, ['a', 'b', 'c'], 39_000)).toBe('a b c')
})

it('lets newcomers be elected where there is nobody else', () => {
  const holdDown = new HoldDown('a', 10_000)
  names(holdDown, ['a', 'b'], 0)
  expect(names(holdDown, ['a'], 1000)).toBe('a')
})

it('does nothing unless asked to', () => {
  const holdDown = new HoldDown('a', 0)
  expect(holdDown.look(new Set(['a', 'b']), 0)).toEqual({ held: new Set(), againMs: undefined })
})
