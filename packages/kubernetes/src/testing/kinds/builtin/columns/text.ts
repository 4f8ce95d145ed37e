import { fieldsOf, isFields, listOf } from '../../../api/object.ts'

/** What stands in a table where there is nothing. */
export const unlessEmpty = (text: string): string => (text === '' ? '<none>' : text)

/** Labels as tables show them. */
export const labelsText = (labels: unknown): string =>
  unlessEmpty(
    Object.entries(fieldsOf(labels))
      .map(([key, value]) => `${key}=${value}`)
      .toSorted()
      .join(','),
  )

/** A label selector as tables show it. */
export function selectorText(selector: unknown): string {
  if (!isFields(selector)) return '<none>'
  const { matchLabels, matchExpressions } = selector
  const labels = Object.entries(fieldsOf(matchLabels)).map(([key, value]) => `${key}=${value}`)
  const expressions = listOf(matchExpressions).map(one => {
    const { key, operator, values } = fieldsOf(one)
    if (operator === 'Exists') return String(key)
    if (operator === 'DoesNotExist') return `!${key}`
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${listOf(values).join(',')})`
  })
  return unlessEmpty([...labels.toSorted(), ...expressions].join(','))
}
