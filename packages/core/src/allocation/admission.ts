import type { LabelMap, Pool } from '../config/config.ts'

/** The side of a Service that a pool looks at. */
export interface Applicant {
  readonly namespace: string
  readonly labels: LabelMap
  /** Labels of its Namespace object; undefined when there is no such object. */
  readonly namespaceLabels: LabelMap | undefined
}

/** Whether a pool may serve a Service: its namespace is admitted, and its labels match. */
export function admits({ serviceAllocation: rules }: Pool, applicant: Applicant): boolean {
  return rules === undefined || (admitsNamespace(rules, applicant) && admitsLabels(rules, applicant))
}

type Rules = NonNullable<Pool['serviceAllocation']>

const admitsNamespace = (rules: Rules, { namespace, namespaceLabels }: Applicant): boolean =>
  rules.anyNamespace ||
  rules.namespaces.has(namespace) ||
  (namespaceLabels !== undefined &&
    rules.namespaceSelectors.some(selector => selector.matches(namespaceLabels)))

const admitsLabels = (rules: Rules, { labels }: Applicant): boolean =>
  rules.serviceSelectors.length === 0 || rules.serviceSelectors.some(selector => selector.matches(labels))

const quoted = (text: string): string => (text === '' ? 'everything' : text)

/** Why a pool does not admit a Service: which rule refuses it. Undefined when it does. */
export function refusal(pool: Pool, applicant: Applicant): string | undefined {
  const { serviceAllocation: rules, name } = pool
  if (rules === undefined) return undefined
  if (!admitsNamespace(rules, applicant)) {
    const admitted = [
      ...(rules.namespaces.size > 0 ? [`namespaces: ${[...rules.namespaces].sort().join(', ')}`] : []),
      ...(rules.namespaceSelectors.length > 0
        ? [`namespaceSelectors: ${rules.namespaceSelectors.map(({ text }) => quoted(text)).join(' or ')}`]
        : []),
    ].join('; ')
    const unknown =
      rules.namespaceSelectors.length > 0 && applicant.namespaceLabels === undefined
        ? ', and there is no such Namespace object whose labels could match'
        : ''
    return `pool "${name}" does not admit namespace "${applicant.namespace}" (it admits ${admitted})${unknown}`
  }
  if (admitsLabels(rules, applicant)) return undefined
  const wanted = rules.serviceSelectors.map(({ text }) => quoted(text)).join(' or ')
  return `pool "${name}" does not admit the labels of this Service (its serviceSelectors: ${wanted})`
}
