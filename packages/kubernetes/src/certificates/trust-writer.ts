import { Buffer } from 'node:buffer'
import { CarillonError } from '@carillon/core'
import { type Client, type KubeObject, type ResourceType, resourceTypes } from '../client/index.ts'
import { isManaged, managedWebhooks } from '../webhook/managed-webhooks.ts'
import type { WebhookConfigurationOptions } from '../webhook/webhook-configuration.ts'

/** Which objects say whom the API server trusts when it calls a webhook. */
export interface TrustTargets {
  /**
   * Name of the ValidatingWebhookConfiguration.
   * @default 'metallb-webhook-configuration'
   */
  readonly webhookConfiguration?: string
  /**
   * Names of CustomResourceDefinitions that are converted by a webhook.
   * @default ['bgppeers.metallb.io']
   */
  readonly definitions?: readonly string[]
  /**
   * Which webhooks a configuration with the annotation `carillon.io/managed-webhooks: "true"` is to have. Others keep those that they have.
   * @default it keeps those that it has
   */
  readonly webhooks?: WebhookConfigurationOptions
}

interface Target {
  readonly type: ResourceType
  readonly name: string
  /** The change by which the object trusts `bundle`; undefined when it does, or has no webhook. */
  change(object: KubeObject, bundle: string): Patch | undefined
}

interface Patch {
  readonly type: 'merge' | 'strategic'
  readonly body: object
}

type Fields = Readonly<Record<string, unknown>>

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}

const bundleOf = (webhook: unknown): unknown => fieldsOf(fieldsOf(webhook).clientConfig).caBundle

function webhookChange({ webhooks }: KubeObject, bundle: string): Patch | undefined {
  const stale = (Array.isArray(webhooks) ? webhooks : []).filter(webhook => bundleOf(webhook) !== bundle)
  if (stale.length === 0) return undefined
  // A strategic patch finds each by its name.
  const changed = stale.map(webhook => ({
    name: fieldsOf(webhook).name,
    clientConfig: { caBundle: bundle },
  }))
  return { type: 'strategic', body: { webhooks: changed } }
}

function definitionChange({ spec }: KubeObject, bundle: string): Patch | undefined {
  const { strategy, webhook } = fieldsOf(fieldsOf(spec).conversion)
  if (strategy !== 'Webhook' || bundleOf(webhook) === bundle) return undefined
  return {
    type: 'merge',
    body: { spec: { conversion: { webhook: { clientConfig: { caBundle: bundle } } } } },
  }
}

const attempts = 5

/** Makes the API server trust authorities when it calls our webhooks. Writes only what differs. */
export class TrustWriter {
  readonly #client: Client
  readonly #targets: readonly Target[]
  /** Whether everybody was made to trust at an earlier time: then those who answer have had time to begin. */
  #settled = false

  constructor(client: Client, targets: TrustTargets = {}) {
    const { webhookConfiguration = 'metallb-webhook-configuration', definitions = ['bgppeers.metallb.io'] } =
      targets
    const { webhooks } = targets
    this.#client = client
    this.#targets = [
      {
        type: resourceTypes.validatingWebhookConfigurations,
        name: webhookConfiguration,
        change: (object, bundle) => {
          if (!webhooks || !isManaged(object)) return webhookChange(object, bundle)
          const changed = managedWebhooks(object, webhooks, bundle, this.#settled)
          return changed && { type: 'merge', body: { webhooks: changed } }
        },
      },
      ...definitions.map(name => ({
        type: resourceTypes.customResourceDefinitions,
        name,
        change: definitionChange,
      })),
    ]
  }

  /**
   * Makes every object that there is trust the authorities in a text of PEM. Rejects with what failed first, after all have been tried.
   */
  async publish(authorities: string, signal: AbortSignal): Promise<void> {
    const bundle = Buffer.from(authorities, 'utf8').toString('base64')
    const done = await Promise.allSettled(this.#targets.map(target => this.#bring(target, bundle, signal)))
    for (const one of done) if (one.status === 'rejected') throw one.reason
    this.#settled = true
  }

  async #bring({ type, name, change }: Target, bundle: string, signal: AbortSignal): Promise<void> {
    for (let left = attempts; ; left--) {
      try {
        const object = await this.#client.get(type, { name }, { signal })
        const wanted = change(object, bundle)
        if (wanted === undefined) return
        const { resourceVersion } = object.metadata
        await this.#client.patch(
          type,
          { name },
          { metadata: { resourceVersion }, ...wanted.body },
          { type: wanted.type, signal },
        )
        return
      } catch (error) {
        const code = error instanceof CarillonError ? error.code : undefined
        // Nobody calls a webhook that is not configured.
        if (code === 'API_NOT_FOUND') return
        if (code !== 'API_CONFLICT' || left <= 1) throw error
      }
    }
  }
}
