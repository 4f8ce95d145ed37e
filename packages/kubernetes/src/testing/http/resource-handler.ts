import { apiVersionOf, type KubeObject } from '../api/object.ts'
import { unsupportedMediaType } from '../api/status.ts'
import type { ApiType } from '../kinds/api-type.ts'
import { apply, requireManager } from '../registry/apply.ts'
import type { Call } from '../registry/call.ts'
import { create } from '../registry/create.ts'
import { inVersion, type Machinery } from '../registry/machinery.ts'
import { type PatchKind, patch } from '../registry/patch.ts'
import { get, list } from '../registry/read.ts'
import { type DeleteOptions, remove } from '../registry/remove.ts'
import { type Updated, update } from '../registry/update.ts'
import { storedForm } from '../store/stored.ts'
import type { Watcher } from '../watch/watcher.ts'
import { type Accepted, accept } from './accept.ts'
import { mediaType, parseJson, parseObject, parseYaml, readBody } from './body.ts'
import { deleteOptions } from './delete-options.ts'
import { flag, includeObject, listOptions } from './query.ts'
import { send, sendJson } from './reply.ts'
import type { ResourceRequest } from './resource-request.ts'
import { scale } from './scale.ts'
import { sendList } from './send-list.ts'
import { startWatch } from './start-watch.ts'
import { partial, table } from './table.ts'

/** Works on a request and answers it. `watching` is told of watches that begin. @throws Refusal */
export async function handleResource(
  machinery: Machinery,
  asked: ResourceRequest,
  watching: (watcher: Watcher) => () => void,
): Promise<void> {
  const { call, verb, query, request, response } = asked
  const accepted = accept(request.headers.accept)
  const answer = (code: number, object: unknown): void => {
    for (const warning of call.warnings) response.appendHeader('warning', `299 - ${JSON.stringify(warning)}`)
    const stored =
      accepted.as === 'object' && accepted.format === 'json' ? storedForm(object as KubeObject) : undefined
    const { group, version, kind, stored: other } = call.type
    if (stored !== undefined && other === undefined)
      sendJson(response, code, stored.json(group, version, kind))
    else send(response, code, shape(machinery, call.type, object, accepted, query), accepted.format)
  }
  if (call.subresource === 'scale') return answer(200, await scale(machinery, asked))
  switch (verb) {
    case 'get': {
      const stored = get(machinery, call)
      return answer(200, (await inVersion(machinery, call.type, [stored]))[0])
    }
    case 'list':
      return sendList(machinery, asked, accepted)
    case 'watch':
      return startWatch(machinery, asked, accepted, watching)
    case 'create': {
      const body = parseObject(await readBody(request), mediaType(request))
      return answer(201, await create(machinery, call, body))
    }
    case 'update': {
      const body = parseObject(await readBody(request), mediaType(request))
      const { object, created } = await update(machinery, call, body)
      return answer(created ? 201 : 200, object)
    }
    case 'patch': {
      const { object, created } = await patched(machinery, asked)
      return answer(created ? 201 : 200, object)
    }
    case 'delete': {
      const options = await deleteOptions(asked)
      return answer(200, await remove(machinery, dryCall(call, options), options))
    }
    case 'deletecollection': {
      const options = await deleteOptions(asked)
      const { items, revision } = list(machinery, call, listOptions(query))
      for (const stored of items) {
        const { namespace, name = '' } = stored.object.metadata
        await remove(machinery, dryCall({ ...call, namespace, name }, options), options)
      }
      return answer(200, {
        kind: call.type.listKind,
        apiVersion: apiVersionOf(call.type.group, call.type.version),
        metadata: { resourceVersion: String(revision) },
        items: await inVersion(machinery, call.type, items),
      })
    }
  }
}

const patchKinds: Readonly<Record<string, PatchKind>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
}
const applyType = 'application/apply-patch+yaml'

async function patched(machinery: Machinery, { call, query, request }: ResourceRequest): Promise<Updated> {
  const type = mediaType(request)
  const text = await readBody(request)
  if (type === applyType) {
    requireManager(query.get('fieldManager'))
    return apply(machinery, call, parseYaml(text), flag(query, 'force') === true)
  }
  const kind = patchKinds[type]
  if (kind === undefined) throw unsupportedMediaType(type, [...Object.keys(patchKinds), applyType])
  return { object: await patch(machinery, call, kind, parseJson(text)), created: false }
}

const dryCall = (call: Call, { dryRun }: DeleteOptions): Call =>
  dryRun?.includes('All') === true ? { ...call, dryRun: true } : call

function shape(
  machinery: Machinery,
  type: ApiType,
  value: unknown,
  { as }: Accepted,
  query: URLSearchParams,
): unknown {
  const object = value as KubeObject
  if (as === 'object' || object.kind === 'Status' || object.kind === type.listKind) return value
  if (as === 'metadata') return partial(object)
  return table(type, [object], {
    metadata: { resourceVersion: object.metadata.resourceVersion },
    include: includeObject(query),
    now: machinery.clock.date(),
    headers: true,
  })
}
