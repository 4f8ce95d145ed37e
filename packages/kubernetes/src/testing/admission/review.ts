import { apiVersionOf, type Fields, fieldsOf, isFields, type KubeObject, listOf } from '../api/object.ts'
import type { ApiType } from '../kinds/api-type.ts'
import type { Attempt } from './match.ts'

/** What a webhook has decided. */
export interface Verdict {
  readonly allowed: boolean
  readonly status: Fields
  readonly warnings: readonly string[]
  /** A JSON patch. */
  readonly patch: unknown
}

const optionsKinds = { CREATE: 'CreateOptions', UPDATE: 'UpdateOptions', DELETE: 'DeleteOptions' } as const

/** The request of an AdmissionReview, with the objects in the version that the webhook is asked in. */
export function reviewRequest(
  { call, operation }: Attempt,
  asked: ApiType,
  objects: { readonly object: KubeObject | undefined; readonly old: KubeObject | undefined },
  uid: string,
): Fields {
  const { type, subresource, name, namespace, user, dryRun } = call
  const kind = (of: ApiType) => ({ group: of.group, version: of.version, kind: of.kind })
  const resource = (of: ApiType) => ({ group: of.group, version: of.version, resource: of.plural })
  const named = name === '' ? ((objects.object ?? objects.old)?.metadata.name ?? '') : name
  return {
    uid,
    kind: kind(asked),
    resource: resource(asked),
    ...(subresource === '' ? {} : { subResource: subresource, requestSubResource: subresource }),
    requestKind: kind(type),
    requestResource: resource(type),
    ...(named === '' ? {} : { name: named }),
    ...(namespace === undefined ? {} : { namespace }),
    operation,
    userInfo: {
      username: user.name,
      groups: user.groups,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
    },
    object: objects.object ?? null,
    oldObject: objects.old ?? null,
    dryRun,
    options: { kind: optionsKinds[operation], apiVersion: 'meta.k8s.io/v1' },
  }
}

/** The AdmissionReview around a request. */
export const review = (request: Fields): object => ({
  kind: 'AdmissionReview',
  apiVersion: apiVersionOf('admission.k8s.io', 'v1'),
  request,
})

/** What an answer says. @throws Error when it is not an answer to this request */
export function verdictOf(answer: unknown, uid: unknown): Verdict {
  const { response, apiVersion, kind } = fieldsOf(answer)
  if (apiVersion !== 'admission.k8s.io/v1' || kind !== 'AdmissionReview')
    throw new Error(
      `expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${String(apiVersion)}, Kind=${String(kind)}`,
    )
  if (!isFields(response)) throw new Error('webhook response was absent')
  if (response.uid !== uid)
    throw new Error(`expected response.uid="${String(uid)}", got "${String(response.uid ?? '')}"`)
  const { patch, patchType } = response
  if (
    (patch === undefined) !== (patchType === undefined) ||
    (patchType !== undefined && patchType !== 'JSONPatch')
  )
    throw new Error('response.patch and a response.patchType of JSONPatch belong together')
  return {
    allowed: response.allowed === true,
    status: fieldsOf(response.status),
    warnings: listOf(response.warnings).map(String),
    patch: typeof patch === 'string' ? JSON.parse(Buffer.from(patch, 'base64').toString('utf8')) : undefined,
  }
}
