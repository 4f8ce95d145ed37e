import { apiVersionOf, fieldsOf, type KubeObject, listOf } from '../api/object.ts'
import { internalError } from '../api/status.ts'
import type { ApiType } from '../kinds/api-type.ts'
import type { Store } from '../store/store.ts'
import type { WebhookCaller } from '../webhook/webhook-caller.ts'
import type { AskWebhook } from './conversion.ts'
import type { Definition } from './definition.ts'

const timeoutSeconds = 30

/** Which custom resources are converted by a webhook, and how to ask it. */
export const conversionWebhooks =
  (store: Store, caller: WebhookCaller, uid: () => string) =>
  (custom: string): AskWebhook | undefined => {
    const found = store.collection('customresourcedefinitions.apiextensions.k8s.io').get(undefined, custom)
    const conversion = (found?.object as Definition | undefined)?.spec.conversion
    const clientConfig = conversion?.webhook?.clientConfig
    if (conversion?.strategy !== 'Webhook' || clientConfig === undefined) return undefined
    return async (objects, from, to) => {
      const fail = (why: string) =>
        internalError(
          `conversion webhook for ${apiVersionOf(from.group, from.version)}, Kind=${from.kind} failed: ${why}`,
        )
      const desiredAPIVersion = apiVersionOf(to.group, to.version)
      const request = { uid: uid(), desiredAPIVersion, objects }
      let answer: unknown
      try {
        const review = { kind: 'ConversionReview', apiVersion: 'apiextensions.k8s.io/v1', request }
        answer = await caller.post(clientConfig, review, timeoutSeconds)
      } catch (error) {
        throw fail((error as Error).message)
      }
      const problem = problemOf(answer, request.uid, objects, to)
      if (problem !== undefined) throw fail(problem)
      return listOf(fieldsOf(fieldsOf(answer).response).convertedObjects) as readonly KubeObject[]
    }
  }

/** What is wrong with an answer: it has to hold the same objects, in the version that was asked for. */
function problemOf(
  answer: unknown,
  uid: string,
  objects: readonly KubeObject[],
  to: ApiType,
): string | undefined {
  const response = fieldsOf(fieldsOf(answer).response)
  if (response.uid !== uid) return `expected response.uid="${uid}", got "${String(response.uid ?? '')}"`
  const result = fieldsOf(response.result)
  if (result.status !== 'Success') return String(result.message ?? `the result is ${String(result.status)}`)
  const made = listOf(response.convertedObjects)
  if (made.length !== objects.length)
    return `response.convertedObjects has ${made.length} objects, expected ${objects.length}`
  for (const [index, one] of made.entries()) {
    const { apiVersion, kind, metadata } = fieldsOf(one)
    const { name, namespace, uid: own } = fieldsOf(metadata)
    const before = (objects[index] as KubeObject).metadata
    if (apiVersion !== apiVersionOf(to.group, to.version) || kind !== to.kind)
      return `response.convertedObjects[${index}] has apiVersion ${String(apiVersion)} and kind ${String(kind)}`
    if (name !== before.name || namespace !== before.namespace || own !== before.uid)
      return `response.convertedObjects[${index}] is another object: name, namespace and uid must stay`
  }
  return undefined
}
