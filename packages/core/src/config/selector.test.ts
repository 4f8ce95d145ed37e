import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { LabelSelector } from '../resources/index.ts'
import type { Problem } from './problem.ts'
import {
  type CompiledSelector,
  compileSelector,
  compileSelectors,
  excludeEachOther,
  matchesAny,
} from './selector.ts'
import { Spot } from './spot.ts'

const compile = (selector: LabelSelector): { selector: CompiledSelector; problems: Problem[] } => {
  const problems: Problem[] = []
  return { selector: compileSelector(selector, new Spot(problems, 'Kind', 'name', 'spec.sel')), problems }
}
const valid = (selector: LabelSelector): CompiledSelector => {
  const result = compile(selector)
  expect(result.problems).toEqual([])
  return result.selector
}
const listProblems = (selectors: readonly LabelSelector[]): string[] => {
  const problems: Problem[] = []
  compileSelectors(selectors, new Spot(problems, 'Kind', 'name', 'spec.sel'))
  return problems.map(({ severity, field, message }) => `${severity} ${field}: ${message}`)
}
const expression = (key: string, operator: string, ...values: string[]): LabelSelector => ({
  matchExpressions: [{ key, operator, values }],
})

describe('a selector', () => {
  it('matches everything when it is empty', () => {
    expect(valid({}).matches({})).toBe(true)
    expect(valid({ matchLabels: {}, matchExpressions: [] }).matches({ a: 'b' })).toBe(true)
    expect(valid({}).text).toBe('')
  })

  it('wants all its labels and all its expressions', () => {
    const selector = valid({
      matchLabels: { app: 'web' },
      matchExpressions: [
        { key: 'tier', operator: 'In', values: ['front', 'edge'] },
        { key: 'example.com/legacy', operator: 'DoesNotExist' },
      ],
    })
    expect(selector.matches({ app: 'web', tier: 'edge' })).toBe(true)
    expect(selector.matches({ app: 'web' })).toBe(false)
    expect(selector.matches({ tier: 'edge' })).toBe(false)
    expect(selector.matches({ app: 'web', tier: 'edge', 'example.com/legacy': '' })).toBe(false)
  })

  it('matches an absent label with NotIn and DoesNotExist, as Kubernetes does', () => {
    expect(valid(expression('a', 'NotIn', 'x')).matches({})).toBe(true)
    expect(valid(expression('a', 'DoesNotExist')).matches({})).toBe(true)
    expect(valid(expression('a', 'In', '')).matches({})).toBe(false)
    expect(valid(expression('a', 'Exists')).matches({ a: '' })).toBe(true)
  })

  it('takes no label from the prototype of the map', () => {
    expect(valid(expression('constructor', 'Exists')).matches({})).toBe(false)
  })

  it('has one text for one meaning', () => {
    expect(valid({ matchLabels: { b: '2', a: '1' } }).text).toBe('a=1, b=2')
    expect(valid(expression('a', 'In', 'y', 'x')).text).toBe('a in (x,y)')
    expect(valid(expression('a', 'In', 'x')).text).toBe(valid({ matchLabels: { a: 'x' } }).text)
    expect(valid(expression('a', 'NotIn', 'x')).text).toBe('a!=x')
    expect(valid(expression('a', 'NotIn', 'y', 'x')).text).toBe('a notin (x,y)')
    expect(valid(expression('a', 'DoesNotExist')).text).toBe('!a')
  })

  it('agrees with the plain reading of the Kubernetes documentation', () => {
    const key = fc.constantFrom('a', 'b', 'c')
    const value = fc.constantFrom('', 'x', 'y', 'z')
    const someValues = fc.uniqueArray(value, { minLength: 1, maxLength: 3 })
    const requirement = fc.oneof(
      fc.record({ key, operator: fc.constantFrom('In', 'NotIn'), values: someValues }),
      fc.record({ key, operator: fc.constantFrom('Exists', 'DoesNotExist') }),
    )
    const selectors = fc.record({
      matchLabels: fc.dictionary(key, value, { maxKeys: 2 }),
      matchExpressions: fc.uniqueArray(requirement, {
        maxLength: 3,
        selector: r => JSON.stringify([r.key, r.operator, [...('values' in r ? r.values : [])].sort()]),
      }),
    })
    const labelMaps = fc.dictionary(key, value, { maxKeys: 3 })
    const naive = (selector: LabelSelector, labels: Record<string, string>): boolean =>
      Object.entries(selector.matchLabels ?? {}).every(([k, v]) => k in labels && labels[k] === v) &&
      (selector.matchExpressions ?? []).every(({ key: k, operator, values = [] }) => {
        if (operator === 'In') return k in labels && values.includes(labels[k] as string)
        if (operator === 'NotIn') return !(k in labels) || !values.includes(labels[k] as string)
        return operator === 'Exists' ? k in labels : !(k in labels)
      })
    fc.assert(
      fc.property(selectors, selectors, labelMaps, (one, other, labels) => {
        const [a, b] = [valid(one), valid(other)]
        expect(a.matches(labels)).toBe(naive(one, labels))
        if (a.text === b.text) expect(b.matches(labels)).toBe(a.matches(labels))
        if (excludeEachOther(a, b)) expect(a.matches(labels) && b.matches(labels)).toBe(false)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('a selector with a mistake', () => {
  const mistakes: [string, LabelSelector, string, string][] = [
    [
      'an unknown operator',
      expression('a', 'Gt', '1'),
      'spec.sel.matchExpressions[0].operator',
      '"Gt" is not an operator',
    ],
    [
      'In without values',
      expression('a', 'In'),
      'spec.sel.matchExpressions[0].values',
      'needs at least one value',
    ],
    [
      'NotIn without values',
      expression('a', 'NotIn'),
      'spec.sel.matchExpressions[0].values',
      'needs at least one',
    ],
    [
      'Exists with values',
      expression('a', 'Exists', 'x'),
      'spec.sel.matchExpressions[0].values',
      'takes no values',
    ],
    [
      'DoesNotExist with values',
      expression('a', 'DoesNotExist', 'x'),
      'spec.sel.matchExpressions[0].values',
      'takes no',
    ],
    [
      'a bad key',
      expression('a b', 'Exists'),
      'spec.sel.matchExpressions[0].key',
      '"a b" is not a label key',
    ],
    [
      'a bad value',
      expression('a', 'In', 'ok', '-no'),
      'spec.sel.matchExpressions[0].values[1]',
      'is not a label value',
    ],
    [
      'a value twice',
      expression('a', 'In', 'x', 'y', 'x'),
      'spec.sel.matchExpressions[0].values[2]',
      'in the list already, at [0]',
    ],
    [
      'a bad matchLabels key',
      { matchLabels: { '/x': 'y' } },
      'spec.sel.matchLabels["/x"]',
      'is not a label key',
    ],
    [
      'a bad matchLabels value',
      { matchLabels: { x: 'y z' } },
      'spec.sel.matchLabels.x',
      'is not a label value',
    ],
    [
      'an expression twice',
      {
        matchExpressions: [
          { key: 'a', operator: 'In', values: ['x', 'y'] },
          { key: 'a', operator: 'In', values: ['y', 'x'] },
        ],
      },
      'spec.sel.matchExpressions[1]',
      'is the same as [0]',
    ],
  ]

  it.each(mistakes)('is refused for %s, and selects nothing', (_, selector, field, message) => {
    const { selector: compiled, problems } = compile(selector)
    expect(problems).toEqual([expect.objectContaining({ severity: 'error', field })])
    expect(problems[0]?.message).toContain(message)
    expect(compiled.matches({ a: 'x' })).toBe(false)
    expect(excludeEachOther(compiled, valid({}))).toBe(true)
  })

  it.each(['a', 'A.b_c-9', 'example.com/app', 'a.b/c', 'x'.repeat(63)])(
    'is not there for the key %s',
    key => {
      valid(expression(key, 'Exists'))
    },
  )

  it.each(['', '-a', 'a-', 'a/b/c', 'Example.com/a', 'a/', '.com/a', 'x'.repeat(64), `${'x'.repeat(254)}/a`])(
    'is there for the key %j',
    key => {
      expect(compile(expression(key, 'Exists')).problems).toHaveLength(1)
    },
  )
})

describe('alternatives', () => {
  it('may not hold one selector twice', () => {
    expect(
      listProblems([{ matchLabels: { a: '1', b: '2' } }, {}, { matchLabels: { b: '2', a: '1' } }]),
    ).toEqual(['error spec.sel[2]: is the same as [0]: remove one of them'])
  })

  it('may say one thing in two ways, with a warning', () => {
    expect(listProblems([{ matchLabels: { a: '1' } }, expression('a', 'In', '1')])).toEqual([
      'warning spec.sel[1]: selects the same as [0]',
    ])
  })

  it('match when one does, or when there are none', () => {
    const two = [valid(expression('a', 'Exists')), valid(expression('b', 'Exists'))]
    expect(matchesAny(two, { b: '' })).toBe(true)
    expect(matchesAny(two, { c: '' })).toBe(false)
    expect(matchesAny([], {})).toBe(true)
  })
})

describe('two selectors', () => {
  it('exclude each other when no labels can please both', () => {
    const pairs: [LabelSelector, LabelSelector][] = [
      [expression('a', 'In', 'x', 'y'), expression('a', 'In', 'z')],
      [expression('a', 'In', 'x'), expression('a', 'NotIn', 'y', 'x')],
      [expression('a', 'Exists'), expression('a', 'DoesNotExist')],
      [expression('a', 'In', 'x'), expression('a', 'DoesNotExist')],
    ]
    for (const [a, b] of pairs) {
      expect(excludeEachOther(valid(a), valid(b))).toBe(true)
      expect(excludeEachOther(valid(b), valid(a))).toBe(true)
    }
    expect(excludeEachOther(valid(expression('a', 'In', 'x')), valid(expression('b', 'In', 'y')))).toBe(false)
    expect(
      excludeEachOther(valid(expression('a', 'NotIn', 'x')), valid(expression('a', 'DoesNotExist'))),
    ).toBe(false)
  })
})
