import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Ring } from './ring.ts'

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `node-${i}`)

/** How many members each of them watches. */
function loads(members: readonly string[], ring: Ring): Map<string, number> {
  const load = new Map(members.map(name => [name, 0]))
  for (const name of members)
    for (const watcher of ring.watchersOf(name)) load.set(watcher, (load.get(watcher) ?? 0) + 1)
  return load
}

it('every member has as many watchers as asked for, all different and none of them itself', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string(), { maxLength: 30 }),
      fc.integer({ min: 1, max: 5 }),
      (all, count) => {
        const ring = new Ring(all, count)
        for (const name of all) {
          const watchers = ring.watchersOf(name)
          expect(new Set(watchers).size).toBe(Math.min(count, all.length - 1))
          expect(watchers).not.toContain(name)
        }
      },
    ),
  )
})

it('everybody who knows the same members finds the same watchers, in whatever order they were met', () => {
  const all = names(40)
  const [ring, other] = [new Ring(all, 3), new Ring(all.toReversed(), 3)]
  for (const name of all) expect(other.watchersOf(name)).toEqual(ring.watchersOf(name))
})

it.each([5, 50, 1000])('among %i members each watches exactly three', count => {
  const all = names(count)
  expect(new Set(loads(all, new Ring(all, 3)).values())).toEqual(new Set([3]))
})

it('one that dies changes the watchers of only the three that it watched', () => {
  const all = names(100)
  const [before, gone] = [new Ring(all, 3), 'node-42']
  const rest = all.filter(name => name !== gone)
  const after = new Ring(rest, 3)
  const changed = rest.filter(name => before.watchersOf(name).join() !== after.watchersOf(name).join())
  expect(changed).toHaveLength(3)
  for (const name of changed) {
    expect(before.watchersOf(name)).toContain(gone)
    expect(after.watchersOf(name).filter(one => !before.watchersOf(name).includes(one))).toHaveLength(1)
  }
})

it('members that do not watch are watched all the same', () => {
  const ring = new Ring(['a', 'b'], 3)
  expect(ring.watchersOf('of another kind').toSorted()).toEqual(['a', 'b'])
})
