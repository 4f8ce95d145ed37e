import type { LabelSelector } from '../resources/index.ts'
import type { LabelMap, Selector } from './config.ts'
import type { Spot } from './spot.ts'

/** One condition of a selector. `values` is empty for `Exists` and `DoesNotExist`. */
export interface Requirement {
  readonly key: string
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  readonly values: ReadonlySet<string>
}

/** A selector that can also tell what it requires, so that two of them can be compared without objects to try them on. */
export interface CompiledSelector extends Selector {
  readonly requirements: readonly Requirement[]
}

const label = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/
const domain = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/

const isKey = (text: string): boolean => {
  const slash = text.indexOf('/')
  const prefix = slash < 0 ? undefined : text.slice(0, slash)
  const name = text.slice(slash + 1)
  if (prefix !== undefined && !(prefix.length <= 253 && domain.test(prefix))) return false
  return name.length <= 63 && label.test(name)
}

const isValue = (text: string): boolean => text === '' || (text.length <= 63 && label.test(text))

const operators: ReadonlySet<string> = new Set(['In', 'NotIn', 'Exists', 'DoesNotExist'])

function holds({ key, operator, values }: Requirement, labels: LabelMap): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case 'In':
      return value !== undefined && values.has(value)
    case 'NotIn':
      return value === undefined || !values.has(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
  }
}

function write({ key, operator, values }: Requirement): string {
  const sorted = [...values].sort()
  switch (operator) {
    case 'In':
      return sorted.length === 1 ? `${key}=${sorted[0]}` : `${key} in (${sorted.join(',')})`
    case 'NotIn':
      return sorted.length === 1 ? `${key}!=${sorted[0]}` : `${key} notin (${sorted.join(',')})`
    case 'Exists':
      return key
    case 'DoesNotExist':
      return `!${key}`
  }
}

function compiled(requirements: readonly Requirement[]): CompiledSelector {
  return {
    requirements,
    text: [...new Set(requirements.map(write))].sort().join(', '),
    matches: labels => requirements.every(requirement => holds(requirement, labels)),
  }
}

/** What stands in for a selector that has problems: it selects nothing, so that nothing further is said because of it. */
const nothing = compiled([{ key: '', operator: 'In', values: new Set() }])

/** The selector as it is written, apart from the order of labels and values. */
const spelling = ({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string =>
  JSON.stringify([Object.entries(matchLabels).sort(), matchExpressions.map(writeExpression)])

const writeExpression = (expression: NonNullable<LabelSelector['matchExpressions']>[number]): string =>
  JSON.stringify([expression.key, expression.operator, [...(expression.values ?? [])].sort()])

/** Compiles a LabelSelector. Problems go to `spot`; a selector that has any selects nothing. */
export function compileSelector(selector: LabelSelector, spot: Spot): CompiledSelector {
  const requirements: Requirement[] = []
  let valid = true
  const refuse = (where: Spot, message: string): void => {
    valid = false
    where.error(message)
  }
  const checkKey = (key: string, where: Spot): void => {
    if (isKey(key)) return
    refuse(
      where,
      `"${key}" is not a label key: write a name such as app, or domain and name such as example.com/app`,
    )
  }
  const checkValue = (value: string, where: Spot): void => {
    if (isValue(value)) return
    refuse(
      where,
      `"${value}" is not a label value: at most 63 letters, digits, "-", "_" and ".", a letter or digit at both ends`,
    )
  }
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    const where = spot.at('matchLabels').at(key)
    checkKey(key, where)
    checkValue(value, where)
    requirements.push({ key, operator: 'In', values: new Set([value]) })
  }
  const seen = new Map<string, number>()
  for (const [i, expression] of (selector.matchExpressions ?? []).entries()) {
    const { key, operator, values = [] } = expression
    const where = spot.at('matchExpressions').at(i)
    const text = writeExpression(expression)
    const earlier = seen.get(text)
    if (earlier === undefined) seen.set(text, i)
    else refuse(where, `is the same as [${earlier}]: remove one of them`)
    checkKey(key, where.at('key'))
    if (!operators.has(operator)) {
      refuse(where.at('operator'), `"${operator}" is not an operator: use In, NotIn, Exists or DoesNotExist`)
      continue
    }
    const takesValues = operator === 'In' || operator === 'NotIn'
    if (takesValues && values.length === 0)
      refuse(where.at('values'), `is empty: ${operator} needs at least one value`)
    if (!takesValues && values.length > 0)
      refuse(where.at('values'), `must be empty: ${operator} takes no values`)
    const first = new Map<string, number>()
    for (const [j, value] of values.entries()) {
      checkValue(value, where.at('values').at(j))
      const at = first.get(value)
      if (at === undefined) first.set(value, j)
      else
        refuse(where.at('values').at(j), `"${value}" is in the list already, at [${at}]: remove one of them`)
    }
    requirements.push({ key, operator: operator as Requirement['operator'], values: new Set(values) })
  }
  return valid ? compiled(requirements) : nothing
}

/**
 * Compiles a list of selectors, which are alternatives to one another. The same selector twice is an error; two that are
 * written differently and mean the same are only warned about.
 */
export function compileSelectors(
  selectors: readonly LabelSelector[] | undefined,
  spot: Spot,
): readonly CompiledSelector[] {
  const spellings = new Map<string, number>()
  const meanings = new Map<string, number>()
  return (selectors ?? []).map((selector, i) => {
    const result = compileSelector(selector, spot.at(i))
    const text = spelling(selector)
    const same = spellings.get(text)
    const alike = meanings.get(result.text)
    if (same !== undefined) spot.at(i).error(`is the same as [${same}]: remove one of them`)
    else if (alike !== undefined && result !== nothing) spot.at(i).warning(`selects the same as [${alike}]`)
    if (same === undefined) spellings.set(text, i)
    if (alike === undefined) meanings.set(result.text, i)
    return result
  })
}

/** True when one of the alternatives matches, or there are none to choose from. */
export function matchesAny(selectors: readonly Selector[], labels: LabelMap): boolean {
  return selectors.length === 0 || selectors.some(selector => selector.matches(labels))
}

function contradicts(a: Requirement, b: Requirement): boolean {
  if (a.operator === 'In' && a.values.size === 0) return true
  if (a.key !== b.key) return false
  if (a.operator === 'In' && b.operator === 'In') return ![...a.values].some(value => b.values.has(value))
  if (a.operator === 'In' && b.operator === 'NotIn') return [...a.values].every(value => b.values.has(value))
  return b.operator === 'DoesNotExist' && (a.operator === 'In' || a.operator === 'Exists')
}

/** True when no labels whatever match both; false when some do, or when it cannot be told requirement by requirement. */
export function excludeEachOther(a: CompiledSelector, b: CompiledSelector): boolean {
  const all = [...a.requirements, ...b.requirements]
  return all.some(one => all.some(other => contradicts(one, other)))
}
