import { clone } from '../api/clone.ts'
import { invalidValue } from '../api/field-error.ts'
import { type Fields, fieldsOf, type KubeObject } from '../api/object.ts'
import { invalid, methodNotAllowed, unsupportedMediaType } from '../api/status.ts'
import { resourceOf } from '../kinds/api-type.ts'
import { jsonPatch } from '../patch/json-patch.ts'
import { mergePatch } from '../patch/merge-patch.ts'
import type { Machinery } from '../registry/machinery.ts'
import { patch } from '../registry/patch.ts'
import { get } from '../registry/read.ts'
import { mediaType, parseJson, parseObject, readBody } from './body.ts'
import type { ResourceRequest } from './resource-request.ts'

const kind = { group: 'autoscaling', name: 'Scale' }

/** A workload as its subresource `scale` shows it. */
function scaleOf({ metadata, spec, status }: KubeObject): Fields {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata
  const labels = Object.entries(fieldsOf(fieldsOf(fieldsOf(spec).selector).matchLabels))
  return {
    kind: kind.name,
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: fieldsOf(spec).replicas ?? 0 },
    status: {
      replicas: fieldsOf(status).replicas ?? 0,
      selector: labels.map(([key, value]) => `${key}=${value}`).join(','),
    },
  }
}

/** What a patch makes of it. @throws Refusal */
function patched(before: Fields, type: string, body: unknown): unknown {
  switch (type) {
    case 'application/json-patch+json':
      return jsonPatch(clone(before), body)
    // In a Scale there are no lists that the other kind would merge otherwise.
    case 'application/merge-patch+json':
    case 'application/strategic-merge-patch+json':
      return mergePatch(clone(before), body)
    default:
      throw unsupportedMediaType(type, ['application/json-patch+json', 'application/merge-patch+json'])
  }
}

/** Answers a request about the subresource `scale`: how many replicas there are to be, and nothing else. @throws Refusal */
export async function scale(machinery: Machinery, asked: ResourceRequest): Promise<object> {
  const { call, verb, request } = asked
  const before = scaleOf(get(machinery, call).object)
  if (verb === 'get') return before
  if (verb !== 'update' && verb !== 'patch')
    throw methodNotAllowed(resourceOf(call.type), request.method ?? '')
  const type = mediaType(request)
  const body = await readBody(request)
  const { metadata, spec } = fieldsOf(
    verb === 'update' ? parseObject(body, type) : patched(before, type, parseJson(body)),
  )
  const { replicas = 0 } = fieldsOf(spec)
  if (!Number.isInteger(replicas) || Number(replicas) < 0)
    throw invalid(kind, call.name, [
      invalidValue('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ])
  const { resourceVersion } = fieldsOf(metadata)
  // Without a version, whatever has come in between is kept.
  const change = resourceVersion === undefined ? {} : { metadata: { resourceVersion } }
  const workload = { ...call, subresource: '' }
  return scaleOf(await patch(machinery, workload, 'merge', { ...change, spec: { replicas } }))
}
