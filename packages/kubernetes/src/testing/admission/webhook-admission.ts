import { clone } from '../api/clone.ts'
import type { Fields, KubeObject } from '../api/object.ts'
import { internalError, Refusal, type Status } from '../api/status.ts'
import type { ApiType } from '../kinds/api-type.ts'
import { jsonPatch } from '../patch/json-patch.ts'
import type { Admission } from '../registry/admission.ts'
import type { Machinery } from '../registry/machinery.ts'
import type { WebhookCaller } from '../webhook/webhook-caller.ts'
import { type Attempt, conditionsHold, matchedType } from './match.ts'
import { review, reviewRequest, type Verdict, verdictOf } from './review.ts'
import type { Webhook, WebhookConfiguration } from './webhook.ts'

const group = 'admissionregistration.k8s.io'
const validating = `validatingwebhookconfigurations.${group}`
const mutating = `mutatingwebhookconfigurations.${group}`

/** Asks the webhooks that are configured in the store: those that change objects one after another, then all that judge. */
export class WebhookAdmission implements Admission {
  readonly #caller: WebhookCaller
  #machinery: Machinery | undefined

  constructor(caller: WebhookCaller) {
    this.#caller = caller
  }

  /** The machinery of which this is a part. */
  set machinery(machinery: Machinery) {
    this.#machinery = machinery
  }

  async mutate(
    call: Attempt['call'],
    operation: Attempt['operation'],
    object: KubeObject | undefined,
    old: KubeObject | undefined,
  ): Promise<KubeObject | undefined> {
    let current = object
    for (const webhook of this.#webhooks(mutating, call.type)) {
      const found = await this.#ask(webhook, { call, operation, object: current, old })
      if (found?.verdict.patch === undefined || current === undefined) continue
      const patched = jsonPatch(clone(found.object), found.verdict.patch) as KubeObject
      current = await this.#inType(patched, found.type, call.type)
    }
    return current
  }

  async validate(
    call: Attempt['call'],
    operation: Attempt['operation'],
    object: KubeObject | undefined,
    old: KubeObject | undefined,
  ): Promise<void> {
    const webhooks = this.#webhooks(validating, call.type)
    if (webhooks.length === 0) return
    await Promise.all(webhooks.map(webhook => this.#ask(webhook, { call, operation, object, old })))
  }

  /** In the order of their configurations' names; they are not asked about configurations, or nobody could repair these. */
  #webhooks(collection: string, type: ApiType): readonly Webhook[] {
    if (type.collection === validating || type.collection === mutating || this.#machinery === undefined)
      return []
    const found = this.#machinery.store.collection(collection)
    if (found.size === 0) return []
    return found.list().flatMap(({ object }) => (object as WebhookConfiguration).webhooks ?? [])
  }

  /** The verdict of a webhook; nothing where it is not asked, or cannot be and need not. @throws Refusal */
  async #ask(
    webhook: Webhook,
    attempt: Attempt,
  ): Promise<{ verdict: Verdict; type: ApiType; object: KubeObject | undefined } | undefined> {
    const machinery = this.#machinery as Machinery
    const type = matchedType(machinery, webhook, attempt)
    if (type === undefined) return undefined
    const { call } = attempt
    const [object, old] = await Promise.all(
      [attempt.object, attempt.old].map(one => one && this.#inType(one, call.type, type)),
    )
    const request = reviewRequest(attempt, type, { object, old }, machinery.uid())
    if (!conditionsHold(webhook, request)) return undefined
    const verdict = await this.#call(webhook, request)
    if (verdict === undefined) return undefined
    call.warnings.push(...verdict.warnings)
    if (!verdict.allowed) throw new Refusal(denial(webhook.name, verdict.status))
    return { verdict, type, object }
  }

  async #call(webhook: Webhook, request: Fields): Promise<Verdict | undefined> {
    const { clientConfig, timeoutSeconds, name, failurePolicy } = webhook
    try {
      return verdictOf(await this.#caller.post(clientConfig, review(request), timeoutSeconds), request.uid)
    } catch (error) {
      if (failurePolicy === 'Ignore') return undefined
      throw internalError(
        `failed calling webhook "${name}": failed to call webhook: ${(error as Error).message}`,
      )
    }
  }

  async #inType(object: KubeObject, from: ApiType, to: ApiType): Promise<KubeObject> {
    if (from === to) return object
    const [made] = await (this.#machinery as Machinery).conversion.convert([object], from, to)
    return made as KubeObject
  }
}

/** What a client gets to see of a webhook's no. */
function denial(name: string, status: Fields): Status {
  const by = `admission webhook "${name}" denied the request`
  const { message, reason, code, details } = status as Partial<Status>
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: message ? `${by}: ${message}` : reason ? `${by}: ${reason}` : `${by} without explanation`,
    ...(reason === undefined ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code: code === undefined || code < 400 ? 400 : code,
  }
}
