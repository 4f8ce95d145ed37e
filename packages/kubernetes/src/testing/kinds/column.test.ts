import { expect, it } from 'vitest'
import { age } from './column.ts'

const minute = 60
const hour = 60 * minute
const day = 24 * hour

it.each([
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [125, '2m5s'],
  [10 * minute + 5, '10m'],
  [179 * minute, '179m'],
  [180 * minute, '3h'],
  [3 * hour + 20 * minute, '3h20m'],
  [9 * hour + 20 * minute, '9h'],
  [47 * hour, '47h'],
  [48 * hour, '2d'],
  [2 * day + 5 * hour, '2d5h'],
  [9 * day + 5 * hour, '9d'],
  [729 * day, '729d'],
  [731 * day, '2y1d'],
  [9 * 365 * day + day, '9y'],
])('%i seconds are %s', (seconds, text) => {
  const now = new Date('2026-03-01T00:00:00Z')
  expect(age(new Date(now.getTime() - seconds * 1000).toISOString(), now)).toBe(text)
})

it('of what has no time is not known', () => {
  expect([age(undefined, new Date()), age('soon', new Date())]).toEqual(['<unknown>', '<unknown>'])
})
