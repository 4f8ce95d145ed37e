import { apiVersionOf } from '../api/object.ts'
import type { ApiType } from '../kinds/api-type.ts'
import { inVersion, type Machinery } from '../registry/machinery.ts'
import { type Listed, list } from '../registry/read.ts'
import type { Stored } from '../store/stored.ts'
import type { Accepted } from './accept.ts'
import { includeObject, listOptions } from './query.ts'
import { send, sendJson } from './reply.ts'
import type { ResourceRequest } from './resource-request.ts'
import { partial, table } from './table.ts'

/** Answers with the objects that a list asks for. @throws Refusal 400, 410, 422, 504 */
export async function sendList(
  machinery: Machinery,
  { call, query, response }: ResourceRequest,
  { as, format }: Accepted,
): Promise<void> {
  const { type } = call
  for (const warning of call.warnings) response.appendHeader('warning', `299 - ${JSON.stringify(warning)}`)
  const listed = list(machinery, call, listOptions(query))
  const metadata = listMetadata(listed)
  if (as === 'object' && format === 'json')
    return sendJson(response, 200, await listJson(machinery, type, listed, metadata))
  const objects = await inVersion(machinery, type, listed.items)
  if (as === 'table')
    return send(
      response,
      200,
      table(type, objects, {
        metadata,
        include: includeObject(query),
        now: machinery.clock.date(),
        headers: true,
      }),
    )
  if (as === 'metadata')
    return send(response, 200, {
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      metadata,
      items: objects.map(partial),
    })
  return send(
    response,
    200,
    { kind: type.listKind, apiVersion: apiVersionOf(type.group, type.version), metadata, items: objects },
    format,
  )
}

const listMetadata = ({ revision, continue: token, remaining }: Listed): object => ({
  resourceVersion: String(revision),
  ...(token === undefined ? {} : { continue: token }),
  ...(remaining === undefined ? {} : { remainingItemCount: remaining }),
})

/** The items of Kubernetes' own kinds do not say what they are, as the list already does; custom ones do. */
async function listJson(
  machinery: Machinery,
  type: ApiType,
  { items }: Listed,
  metadata: object,
): Promise<string> {
  const { group, version, listKind } = type
  const head = `{"kind":"${listKind}","apiVersion":"${apiVersionOf(group, version)}","metadata":${JSON.stringify(metadata)},"items":[`
  return `${head}${(await itemTexts(machinery, type, items)).join(',')}]}`
}

async function itemTexts(
  machinery: Machinery,
  type: ApiType,
  items: readonly Stored[],
): Promise<readonly string[]> {
  if (type.stored !== undefined)
    return (await inVersion(machinery, type, items)).map(object => JSON.stringify(object))
  if (type.custom === undefined) return items.map(item => item.bare)
  return items.map(item => item.json(type.group, type.version, type.kind))
}
