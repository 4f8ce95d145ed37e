import { equal } from '../../api/equal.ts'
import { invalidValue, notSupported, required } from '../../api/field-error.ts'
import { type Fields, fieldsOf, type KubeObject, listOf } from '../../api/object.ts'
import { pathName, plainStrategy, type Strategy } from '../strategy.ts'

/** EndpointSlices. */
export const endpointSliceStrategy: Strategy = {
  ...plainStrategy,
  generation: true,
  createOnUpdate: false,
  defaults(object) {
    // Both lists are shown even when there is nothing in them.
    object.endpoints ??= null
    object.ports ??= null
    for (const port of listOf(object.ports)) {
      fieldsOf(port).protocol ??= 'TCP'
      fieldsOf(port).name ??= ''
    }
  },
  validate(object, old) {
    const types = ['IPv4', 'IPv6', 'FQDN']
    if (object.addressType === undefined) return [required('addressType')]
    if (!types.includes(String(object.addressType)))
      return [notSupported('addressType', object.addressType, types)]
    if (old !== undefined && object.addressType !== old.addressType)
      return [invalidValue('addressType', object.addressType, 'field is immutable')]
    return listOf(object.endpoints).flatMap((endpoint, index) =>
      listOf(fieldsOf(endpoint).addresses).length === 0 ? [required(`endpoints[${index}].addresses`)] : [],
    )
  },
}

/** Leases, which nobody replaces without having read them. */
export const leaseStrategy: Strategy = {
  ...plainStrategy,
  createOnUpdate: true,
  unconditionalUpdate: false,
  validate(object) {
    const { leaseDurationSeconds, leaseTransitions } = fieldsOf(object.spec)
    const errors = []
    if (typeof leaseDurationSeconds === 'number' && leaseDurationSeconds <= 0)
      errors.push(invalidValue('spec.leaseDurationSeconds', leaseDurationSeconds, 'must be greater than 0'))
    if (typeof leaseTransitions === 'number' && leaseTransitions < 0)
      errors.push(
        invalidValue('spec.leaseTransitions', leaseTransitions, 'must be greater than or equal to 0'),
      )
    return errors
  },
}

/** Roles of both scopes, and who has them. */
const rbacStrategy: Strategy = { ...plainStrategy, createOnUpdate: true, name: pathName }

/** Roles. */
export const roleStrategy: Strategy = {
  ...rbacStrategy,
  defaults(object) {
    object.rules ??= null
  },
}

/** Who has a role; which one cannot be changed. */
export const roleBindingStrategy: Strategy = {
  ...rbacStrategy,
  defaults(object) {
    for (const one of listOf(object.subjects)) {
      const subject = fieldsOf(one)
      if (subject.kind !== 'ServiceAccount') subject.apiGroup ??= 'rbac.authorization.k8s.io'
    }
    const reference = fieldsOf(object.roleRef)
    if (object.roleRef !== undefined) reference.apiGroup ??= 'rbac.authorization.k8s.io'
  },
  validate(object, old) {
    if (object.roleRef === undefined) return [required('roleRef')]
    return old !== undefined && !equal(object.roleRef, old.roleRef)
      ? [invalidValue('roleRef', object.roleRef, 'cannot change roleRef')]
      : []
  },
}

/** Webhooks that take part in admission. */
export const webhookStrategy = (mutating: boolean): Strategy => ({
  ...plainStrategy,
  generation: true,
  unconditionalUpdate: false,
  defaults(object) {
    for (const one of listOf(object.webhooks)) webhookDefaults(fieldsOf(one), mutating)
  },
  validate(object) {
    return listOf(object.webhooks).flatMap((one, index) => webhookErrors(fieldsOf(one), `webhooks[${index}]`))
  },
})

function webhookDefaults(webhook: Fields, mutating: boolean): void {
  webhook.failurePolicy ??= 'Fail'
  webhook.matchPolicy ??= 'Equivalent'
  webhook.namespaceSelector ??= {}
  webhook.objectSelector ??= {}
  webhook.timeoutSeconds ??= 10
  if (mutating) webhook.reinvocationPolicy ??= 'Never'
  for (const rule of listOf(webhook.rules)) fieldsOf(rule).scope ??= '*'
  const { service } = fieldsOf(webhook.clientConfig)
  if (service !== undefined) fieldsOf(service).port ??= 443
}

function webhookErrors(webhook: Fields, at: string) {
  const errors = []
  const reviewVersions = listOf(webhook.admissionReviewVersions)
  if (reviewVersions.length === 0)
    errors.push(required(`${at}.admissionReviewVersions`, 'must specify one of v1, v1beta1'))
  else if (!reviewVersions.some(version => version === 'v1' || version === 'v1beta1'))
    errors.push(
      invalidValue(
        `${at}.admissionReviewVersions`,
        reviewVersions,
        'must include at least one of v1, v1beta1',
      ),
    )
  const effects = ['None', 'NoneOnDryRun']
  if (webhook.sideEffects === undefined)
    errors.push(required(`${at}.sideEffects`, 'must specify one of None, NoneOnDryRun'))
  else if (!effects.includes(String(webhook.sideEffects)))
    errors.push(notSupported(`${at}.sideEffects`, webhook.sideEffects, effects))
  if (!String(webhook.name ?? '').match(/^[a-z0-9-]+(\.[a-z0-9-]+){2,}$/))
    errors.push(
      invalidValue(
        `${at}.name`,
        webhook.name,
        'should be a domain with at least three segments separated by dots',
      ),
    )
  const { url, service } = fieldsOf(webhook.clientConfig)
  if ((url === undefined) === (service === undefined))
    errors.push(required(`${at}.clientConfig`, 'exactly one of url or service is required'))
  if (typeof url === 'string' && !url.startsWith('https://'))
    errors.push(invalidValue(`${at}.clientConfig`, url, "'https' is the only allowed URL scheme"))
  const { timeoutSeconds } = webhook
  if (typeof timeoutSeconds === 'number' && (timeoutSeconds < 1 || timeoutSeconds > 30))
    errors.push(
      invalidValue(
        `${at}.timeoutSeconds`,
        timeoutSeconds,
        'the timeout value must be between 1 and 30 seconds',
      ),
    )
  return errors
}

/** NetworkPolicies. */
export const networkPolicyStrategy: Strategy = {
  ...plainStrategy,
  generation: true,
  defaults(object) {
    const spec = fieldsOf(object.spec)
    if (spec.policyTypes === undefined)
      spec.policyTypes = ['Ingress', ...(spec.egress === undefined ? [] : ['Egress'])]
    for (const rule of [...listOf(spec.ingress), ...listOf(spec.egress)])
      for (const port of listOf(fieldsOf(rule).ports)) fieldsOf(port).protocol ??= 'TCP'
  },
}

/** PodDisruptionBudgets. */
export const disruptionStrategy: Strategy = {
  ...plainStrategy,
  generation: true,
  unconditionalUpdate: false,
  prepareCreate(object: KubeObject) {
    object.status = { currentHealthy: 0, desiredHealthy: 0, disruptionsAllowed: 0, expectedPods: 0 }
  },
  prepareStatus: () => {},
}
