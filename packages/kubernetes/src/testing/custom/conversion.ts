import { clone } from '../api/clone.ts'
import { apiVersionOf, type KubeObject } from '../api/object.ts'
import type { ApiType } from '../kinds/api-type.ts'
import { toCoreEvent, toEventsEvent } from '../kinds/builtin/events.ts'
import type { Conversion } from '../registry/machinery.ts'
import { applyDefaults } from '../schema/defaults.ts'
import { prune } from '../schema/prune.ts'

/** Asks a conversion webhook; the objects come back in the same order. @throws Refusal 500 */
export type AskWebhook = (
  objects: readonly KubeObject[],
  from: ApiType,
  to: ApiType,
) => Promise<readonly KubeObject[]>

/** Turns objects of one version into objects of another. `asks` says which custom resources have a webhook for it. */
export function conversion(asks: (custom: string) => AskWebhook | undefined): Conversion {
  const webhookOf = ({ custom }: ApiType): AskWebhook | undefined =>
    custom === undefined ? undefined : asks(custom)
  return {
    needed: (from, to) => from.custom === undefined || webhookOf(to) !== undefined,
    async convert(objects, from, to) {
      if (to.group === 'events.k8s.io') return objects.map(toEventsEvent)
      if (from.group === 'events.k8s.io') return objects.map(toCoreEvent)
      const ask = webhookOf(to)
      const apiVersion = apiVersionOf(to.group, to.version)
      const made =
        ask === undefined
          ? objects.map(object => ({ ...clone(object), apiVersion }))
          : await ask(objects, from, to)
      for (const object of made) {
        prune(to.schema, object)
        applyDefaults(to.schema, object)
      }
      return made
    },
  }
}
