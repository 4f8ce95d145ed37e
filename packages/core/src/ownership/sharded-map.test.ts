import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ShardedMap } from './sharded-map.ts'

const changes = fc.array(fc.tuple(fc.string({ maxLength: 3 }), fc.option(fc.nat(), { nil: undefined })))

it('holds what a Map would hold after the same changes, and leaves the maps before as they were', () => {
  fc.assert(
    fc.property(fc.array(changes), rounds => {
      const model = new Map<string, number>()
      let map = ShardedMap.empty<number>()
      const history: (readonly [ShardedMap<number>, string])[] = []
      for (const round of rounds) {
        map = map.with(new Map(round))
        for (const [key, value] of new Map(round)) {
          if (value === undefined) model.delete(key)
          else model.set(key, value)
        }
        expect(map.size).toBe(model.size)
        expect(new Map(map)).toEqual(model)
        expect([...map.keys()].sort()).toEqual([...model.keys()].sort())
        expect([...map.values()].sort()).toEqual([...model.values()].sort())
        for (const [key] of round) {
          expect(map.get(key)).toBe(model.get(key))
          expect(map.has(key)).toBe(model.has(key))
        }
        history.push([map, JSON.stringify([...map])])
      }
      for (const [kept, content] of history) expect(JSON.stringify([...kept])).toBe(content)
    }),
  )
})

it('is itself when nothing changes', () => {
  const map = ShardedMap.empty<number>().with(new Map([['a', 1]]))
  expect(map.with(new Map())).toBe(map)
})
