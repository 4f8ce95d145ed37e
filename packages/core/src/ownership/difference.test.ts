import fc from 'fast-check'
import { expect, it } from 'vitest'
import { difference } from './difference.ts'

function report<Item>(before: readonly Item[], after: readonly Item[]): { removed: Item[]; added: Item[] } {
  const removed: Item[] = []
  const added: Item[] = []
  difference(
    before,
    after,
    item => removed.push(item),
    item => added.push(item),
  )
  return { removed, added }
}

it('turns the list before into the list after, whatever the two', () => {
  const lists = fc.uniqueArray(fc.nat(60))
  fc.assert(
    fc.property(lists, lists, (before, after) => {
      const { removed, added } = report(before, after)
      const gone = new Set(removed)
      expect([...before.filter(item => !gone.has(item)), ...added].sort()).toEqual(after.toSorted())
    }),
  )
})

it('names just what was replaced, removed or inserted where the order stays', () => {
  const list = Array.from({ length: 100 }, (_, i) => `item ${i}`)
  expect(report(list, list.with(50, 'other'))).toEqual({ removed: ['item 50'], added: ['other'] })
  expect(report(list, list.toSpliced(7, 3))).toEqual({ removed: ['item 7', 'item 8', 'item 9'], added: [] })
  expect(report(list, list.toSpliced(7, 0, 'a', 'b'))).toEqual({ removed: [], added: ['a', 'b'] })
})
