import { isFields, type KubeObject, own } from '../api/object.ts'
import { badRequest } from '../api/status.ts'

/** Whether an object is among those that a request asks for. */
export type Matcher = (object: KubeObject) => boolean

type Labels = Readonly<Record<string, string>>

const requirement =
  /^\s*(?:(!)\s*([^\s!=,()<>]+)|([^\s!=,()<>]+)\s*(?:(==|=|!=)\s*([^\s!=,()<>]*)|(>|<)\s*(-?\d+)|\s(in|notin)\s*\(([^()]*)\))?)\s*$/

/** Splits at commas that are not within parentheses. */
const parts = (text: string): string[] => text.split(/,(?![^(]*\))/)

/** A label selector in its text form. @throws Refusal 400 */
export function labelSelector(text: string): (labels: Labels) => boolean {
  if (text.trim() === '') return () => true
  const tests = parts(text).map(part => labelRequirement(part, text))
  return labels => tests.every(test => test(labels))
}

function labelRequirement(part: string, text: string): (labels: Labels) => boolean {
  const found = requirement.exec(part)
  if (found === null) throw badRequest(`unable to parse requirement: found '${part}' in '${text}'`)
  const [, absent, absentKey = '', key = '', equality, value = '', order, bound, membership, list = ''] =
    found
  if (absent !== undefined) return labels => own(labels, absentKey) === undefined
  if (equality === '!=') return labels => own(labels, key) !== value
  if (equality !== undefined) return labels => own(labels, key) === value
  if (order !== undefined) {
    const limit = Number(bound)
    return labels => {
      const label = own(labels, key)
      if (label === undefined || !/^-?\d+$/.test(label)) return false
      return order === '>' ? Number(label) > limit : Number(label) < limit
    }
  }
  if (membership === undefined) return labels => own(labels, key) !== undefined
  const values = new Set<string | undefined>(list.split(',').map(one => one.trim()))
  return membership === 'in'
    ? labels => values.has(own(labels, key))
    : labels => !values.has(own(labels, key))
}

/** A selector as objects hold it, with `matchLabels` and `matchExpressions`; an empty one matches everything. */
export function objectSelector(selector: unknown): (labels: Labels) => boolean {
  if (!isFields(selector)) return () => true
  const { matchLabels, matchExpressions } = selector as {
    matchLabels?: Labels
    matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[]
  }
  const wanted = Object.entries(matchLabels ?? {})
  return labels =>
    wanted.every(([key, value]) => own(labels, key) === value) &&
    (matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const label = own(labels, key)
      switch (operator) {
        case 'In':
          return label !== undefined && values.includes(label)
        case 'NotIn':
          return label === undefined || !values.includes(label)
        case 'Exists':
          return label !== undefined
        case 'DoesNotExist':
          return label === undefined
        default:
          return false
      }
    })
}

/**
 * A field selector in its text form, for a resource whose objects can be selected by these fields (`fields` gives the value of
 * each). @throws Refusal 400
 */
export function fieldSelector(
  text: string,
  fields: Readonly<Record<string, (object: KubeObject) => string>>,
): { readonly matches: Matcher; readonly name: string | undefined; readonly namespace: string | undefined } {
  let name: string | undefined
  let namespace: string | undefined
  const tests = text
    .split(',')
    .filter(part => part.trim() !== '')
    .map((part): Matcher => {
      const found = /^\s*([^=!]+?)\s*(==|=|!=)\s*(.*?)\s*$/.exec(part)
      if (found === null) throw badRequest(`invalid field selector: '${text}'; can't understand '${part}'`)
      const [, field = '', operator, value = ''] = found
      const read = own(fields, field)
      if (read === undefined) throw badRequest(`field label not supported: ${field}`)
      if (operator === '!=') return object => read(object) !== value
      if (field === 'metadata.name') name = value
      if (field === 'metadata.namespace') namespace = value
      return object => read(object) === value
    })
  return { matches: object => tests.every(test => test(object)), name, namespace }
}
