import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { difference, type FieldTree, intersection, isEmpty, paths, union } from './field-tree.ts'

const elements = ['f:a', 'f:b', 'k:{"port":80,"protocol":"TCP"}', 'v:"x"']

/** Trees as they are made: every end of a branch is in the set. */
const { tree } = fc.letrec<{ tree: FieldTree; node: FieldTree }>(tie => ({
  node: fc.oneof(
    { depthSize: 'small' },
    fc.constant<FieldTree>({}),
    fc
      .tuple(fc.boolean(), tie('tree'))
      .map(([member, below]) => (member && !isEmpty(below) ? { '.': {}, ...below } : below)),
  ),
  tree: fc.dictionary(fc.constantFrom(...elements), tie('node'), { maxKeys: 3, noNullPrototype: true }),
}))

const members = (set: FieldTree): Set<string> => new Set(paths(set))

describe('sets of fields', () => {
  it('are joined, told apart and intersected as sets of their places', () => {
    fc.assert(
      fc.property(tree, tree, (a, b) => {
        const [left, right] = [members(a), members(b)]
        expect(members(union(a, b))).toEqual(new Set([...left, ...right]))
        expect(members(difference(a, b))).toEqual(new Set([...left].filter(path => !right.has(path))))
        expect(members(intersection(a, b))).toEqual(new Set([...left].filter(path => right.has(path))))
        expect(isEmpty(difference(a, a))).toBe(true)
      }),
    )
  })

  it('name their places as the API server does', () => {
    expect(
      paths({ 'f:spec': { 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:name': {} } } } }),
    ).toEqual(['.spec.ports[port=80,protocol="TCP"]', '.spec.ports[port=80,protocol="TCP"].name'])
    expect(paths({ 'f:metadata': { 'f:finalizers': { 'v:"a"': {} } } })).toEqual([
      '.metadata.finalizers[="a"]',
    ])
  })
})
