import type { KubeObject } from '../client/index.ts'
import { isFields } from './fields.ts'
import { type WebhookConfigurationOptions, webhookConfiguration } from './webhook-configuration.ts'

/**
 * On a ValidatingWebhookConfiguration: its list of webhooks is the controllers' to write. So it can be installed without any, and nothing is
 * asked of anybody before somebody is there to answer.
 */
export const managedAnnotation = 'carillon.io/managed-webhooks'

/** Whether the webhooks of a configuration are the controllers' to write. */
export const isManaged = ({ metadata }: KubeObject): boolean =>
  metadata.annotations?.[managedAnnotation] === 'true'

interface Webhook {
  readonly name: string
  readonly failurePolicy: 'Fail' | 'Ignore'
  readonly clientConfig: object
}

/**
 * The webhooks that a configuration ought to have; undefined when it has them.
 *
 * @param settled whether those who answer have been there for a while. Until then nothing new is waited for, and what is waited for already
 *   stays so.
 */
export function managedWebhooks(
  { webhooks: present }: KubeObject,
  options: WebhookConfigurationOptions,
  bundle: string,
  settled: boolean,
): readonly object[] | undefined {
  const live = (Array.isArray(present) ? present : []).filter(isFields)
  const wanted = (webhookConfiguration(options).webhooks as readonly Webhook[]).map(webhook => {
    const before = live.find(({ name }) => name === webhook.name)
    const waits = webhook.failurePolicy === 'Fail' && (settled || before?.failurePolicy === 'Fail')
    return {
      ...webhook,
      failurePolicy: waits ? 'Fail' : 'Ignore',
      clientConfig: { ...webhook.clientConfig, caBundle: bundle },
    }
  })
  return includes(live, wanted) ? undefined : wanted
}

/** Whether a value says what another one does; fields beyond that do not count. */
function includes(value: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted))
    return (
      Array.isArray(value) &&
      value.length === wanted.length &&
      wanted.every((one, index) => includes(value[index], one))
    )
  if (isFields(wanted))
    return isFields(value) && Object.entries(wanted).every(([key, one]) => includes(value[key], one))
  return value === wanted
}
