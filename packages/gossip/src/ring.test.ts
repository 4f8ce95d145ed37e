import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Ring } from './ring.ts'

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `node-${i}`)

/** A ring of members that all watch. */
function ringOf(members: readonly string[], count = 3): Ring {
  const ring = new Ring(count)
  for (const name of members) ring.set(name, true)
  return ring
}

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
        const ring = ringOf(all, count)
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
  const [ring, other] = [ringOf(all), ringOf(all.toReversed())]
  for (const name of all) expect(other.watchersOf(name)).toEqual(ring.watchersOf(name))
})

it.each([5, 50, 1000])('among %i members each watches exactly three', count => {
  const all = names(count)
  expect(new Set(loads(all, ringOf(all)).values())).toEqual(new Set([3]))
})

it('one that dies changes the watchers of only the three that it watched', () => {
  const all = names(100)
  const [before, gone] = [ringOf(all), 'node-42']
  const rest = all.filter(name => name !== gone)
  const after = ringOf(rest)
  const changed = rest.filter(name => before.watchersOf(name).join() !== after.watchersOf(name).join())
  expect(changed).toHaveLength(3)
  for (const name of changed) {
    expect(before.watchersOf(name)).toContain(gone)
    expect(after.watchersOf(name).filter(one => !before.watchersOf(name).includes(one))).toHaveLength(1)
  }
})

it('members that do not watch are watched all the same', () => {
  const ring = ringOf(['a', 'b'])
  expect(ring.watchersOf('of another kind').toSorted()).toEqual(['a', 'b'])
})

it('comes to the same through arrivals, departures and changes of who watches as when built anew; both ways of asking agree', () => {
  const act = fc.record({
    name: fc.constantFrom(...names(12)),
    watches: fc.option(fc.boolean(), { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), fc.integer({ min: 1, max: 4 }), (acts, count) => {
      const ring = new Ring(count)
      const kept = new Map<string, boolean>()
      for (const { name, watches } of acts) {
        if (watches === undefined) {
          kept.delete(name)
          ring.delete(name)
        } else {
          kept.set(name, watches)
          ring.set(name, watches)
        }
      }
      const anew = new Ring(count)
      for (const [name, watches] of kept) anew.set(name, watches)
      expect(ring.size).toBe(kept.size)
      for (const name of names(12)) expect(ring.watchersOf(name)).toEqual(anew.watchersOf(name))
      for (const [watcher, watches] of kept) {
        if (!watches) continue
        const watched = ring.watchedBy(watcher)
        const expected = [...kept.keys()].filter(one => ring.watchersOf(one).includes(watcher))
        expect(watched.toSorted()).toEqual(expected.toSorted())
        const ranks = watched.map(one => ring.watchersOf(one).indexOf(watcher))
        expect(ranks).toEqual(ranks.toSorted((a, b) => a - b))
      }
    }),
  )
})
