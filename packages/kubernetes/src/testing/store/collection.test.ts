import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { KubeObject } from '../api/object.ts'
import type { Change } from './change.ts'
import { Compacted } from './collection.ts'
import { Store } from './store.ts'

const object = (namespace: string, name: string, value: number): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name },
  value,
})

type Shown = readonly (readonly [string, unknown, number])[]
const shown = (list: readonly { key: string; object: KubeObject; revision: number }[]): Shown =>
  list.map(one => [one.key, one.object.value, one.revision])

describe('a collection', () => {
  it('remembers how it was at every revision, and what changed since', () => {
    const step = fc.tuple(
      fc.constantFrom('put', 'remove'),
      fc.constantFrom('a', 'b'),
      fc.constantFrom('x', 'y', 'z'),
      fc.nat(9),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.constantFrom(undefined, 'a'), (steps, namespace) => {
        const store = new Store(1000)
        const collection = store.collection('configmaps')
        const heard: Change[] = []
        collection.subscribe(change => heard.push(change))
        const history = new Map<number, Shown>([[store.revision, []]])
        for (const [what, inside, name, value] of steps) {
          const there = collection.get(inside, name)
          if (what === 'put') collection.put(object(inside, name, value))
          else if (there !== undefined) collection.remove(there)
          history.set(store.revision, shown(collection.list(namespace)))
        }
        for (const [revision, then] of history) {
          expect(shown(collection.listAt(revision, namespace))).toEqual(then)
          expect(collection.since(revision)).toEqual(heard.filter(change => change.revision > revision))
        }
      }),
    )
  })

  it('forgets on demand, and says from where on it remembers', () => {
    const store = new Store(1000)
    const collection = store.collection('configmaps')
    for (const value of [1, 2, 3]) collection.put(object('a', 'x', value))
    const { revision } = store
    store.compact(revision - 1)
    expect(collection.since(revision - 1)).toHaveLength(1)
    for (const read of [() => collection.since(revision - 2), () => collection.listAt(revision - 2)])
      expect(read).toThrow(new Compacted(revision - 1))
    expect(() => store.collection('made later').since(revision - 2)).toThrow(Compacted)
  })

  it('keeps as many changes as it was told to, and not many more', () => {
    const store = new Store(10)
    const collection = store.collection('configmaps')
    const first = store.revision
    for (let value = 0; value < 100; value++) collection.put(object('a', 'x', value))
    expect(collection.since(store.revision - 10)).toHaveLength(10)
    expect(() => collection.since(first)).toThrow(Compacted)
  })
})
