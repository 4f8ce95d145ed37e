import type { KubeObject } from '../api/object.ts'
import type { ClientConfig } from '../custom/definition.ts'

/** What a webhook wants to be asked about. */
export interface Rule {
  readonly operations?: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly apiVersions?: readonly string[]
  readonly resources?: readonly string[]
  readonly scope?: string
}

/** One webhook of a configuration. */
export interface Webhook {
  readonly name: string
  readonly clientConfig: ClientConfig
  readonly rules?: readonly Rule[]
  readonly failurePolicy: 'Fail' | 'Ignore'
  readonly matchPolicy: 'Equivalent' | 'Exact'
  readonly namespaceSelector?: unknown
  readonly objectSelector?: unknown
  readonly matchConditions?: readonly { readonly name: string; readonly expression: string }[]
  readonly timeoutSeconds: number
  readonly admissionReviewVersions: readonly string[]
}

/** A Validating- or MutatingWebhookConfiguration. */
export interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly Webhook[]
}
