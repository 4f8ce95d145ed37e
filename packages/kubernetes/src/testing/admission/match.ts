import { Environment } from '@marcbachmann/cel-js'
import type { KubeObject } from '../api/object.ts'
import { Refusal } from '../api/status.ts'
import type { ApiType } from '../kinds/api-type.ts'
import type { Operation } from '../registry/admission.ts'
import type { Call } from '../registry/call.ts'
import type { Machinery } from '../registry/machinery.ts'
import { objectSelector } from '../store/selector.ts'
import type { Rule, Webhook } from './webhook.ts'

/** What is about to happen. */
export interface Attempt {
  readonly call: Call
  readonly operation: Operation
  readonly object: KubeObject | undefined
  readonly old: KubeObject | undefined
}

/** The version in which a webhook is to be asked about an attempt; nothing when it is not to be asked. */
export function matchedType(machinery: Machinery, webhook: Webhook, attempt: Attempt): ApiType | undefined {
  const { type } = attempt.call
  const { rules = [], matchPolicy } = webhook
  const fits = (candidate: ApiType): boolean => rules.some(rule => matchesRule(rule, attempt, candidate))
  const found = fits(type)
    ? type
    : matchPolicy === 'Equivalent'
      ? machinery.types
          .all()
          .find(other => other.collection === type.collection && other !== type && fits(other))
      : undefined
  if (found === undefined) return undefined
  return matchesNamespace(machinery, webhook, attempt) && matchesObject(webhook, attempt) ? found : undefined
}

const includes = (list: readonly string[] | undefined, value: string): boolean =>
  list !== undefined && (list.includes('*') || list.includes(value))

function matchesRule(
  rule: Rule,
  { call, operation }: Attempt,
  { group, version, plural, namespaced }: ApiType,
): boolean {
  const { subresource } = call
  const { scope = '*' } = rule
  return (
    includes(rule.operations, operation) &&
    includes(rule.apiGroups, group) &&
    includes(rule.apiVersions, version) &&
    (scope === '*' || scope === (namespaced && plural !== 'namespaces' ? 'Namespaced' : 'Cluster')) &&
    (rule.resources ?? []).some(resource => {
      const [of, sub] = resource.split('/')
      return (
        (of === '*' || of === plural) &&
        (subresource === '' ? sub === undefined : sub === '*' || sub === subresource)
      )
    })
  )
}

function matchesNamespace(
  { store }: Machinery,
  { namespaceSelector }: Webhook,
  { call, object, old }: Attempt,
): boolean {
  const matches = objectSelector(namespaceSelector)
  if (call.type.collection === 'namespaces') return matches((object ?? old)?.metadata.labels ?? {})
  if (call.namespace === undefined) return true
  return matches(store.collection('namespaces').get(undefined, call.namespace)?.object.metadata.labels ?? {})
}

function matchesObject({ objectSelector: selector }: Webhook, { object, old }: Attempt): boolean {
  const matches = objectSelector(selector)
  return [object, old].some(one => one !== undefined && matches(one.metadata.labels ?? {}))
}

const environment = (): Environment =>
  new Environment({ homogeneousAggregateLiterals: false, enableOptionalTypes: true })
    .registerVariable('object', 'dyn')
    .registerVariable('oldObject', 'dyn')
    .registerVariable('request', 'dyn')

/** Whether the conditions of a webhook hold for a request. @throws Refusal when one of them fails and the webhook must not be left out */
export function conditionsHold(
  { matchConditions = [], name, failurePolicy }: Webhook,
  request: Readonly<Record<string, unknown>>,
): boolean {
  const { object, oldObject } = request
  let failed: unknown
  for (const { expression } of matchConditions)
    try {
      if (
        environment().evaluate(expression, {
          object: object ?? null,
          oldObject: oldObject ?? null,
          request,
        }) === false
      )
        return false
    } catch (error) {
      failed = error
    }
  if (failed === undefined) return true
  if (failurePolicy === 'Ignore') return false
  throw new Refusal({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    reason: 'InternalError',
    message: `Internal error occurred: failed matching conditions of webhook "${name}": ${(failed as Error).message}`,
    code: 500,
  })
}
