import type { IncomingMessage, ServerResponse } from 'node:http'
import { apiVersionOf, type KubeObject } from '../api/object.ts'
import { badRequest, methodNotAllowed, unsupportedMediaType } from '../api/status.ts'
import { type ApiType, resourceOf, type Verb } from '../kinds/api-type.ts'
import { apply, requireManager } from '../registry/apply.ts'
import { admin, type Call } from '../registry/call.ts'
import { create } from '../registry/create.ts'
import { inVersion, type Machinery } from '../registry/machinery.ts'
import { type PatchKind, patch } from '../registry/patch.ts'
import { get, type Listed, list } from '../registry/read.ts'
import { type DeleteOptions, remove } from '../registry/remove.ts'
import { type Updated, update } from '../registry/update.ts'
import { type Stored, storedForm } from '../store/stored.ts'
import type { Sink } from '../watch/watch-options.ts'
import { Watcher } from '../watch/watcher.ts'
import { type Accepted, accept } from './accept.ts'
import { mediaType, parseJson, parseObject, parseYaml, readBody } from './body.ts'
import { NotServed } from './not-served.ts'
import {
  dryRun,
  fieldValidation,
  flag,
  includeObject,
  listOptions,
  managerOf,
  timeoutSeconds,
} from './query.ts'
import { send, sendJson } from './reply.ts'
import type { Route } from './route.ts'
import { partial, table } from './table.ts'

/** A request about a resource that is served. */
export interface ResourceRequest {
  readonly call: Call
  readonly verb: Verb
  readonly query: URLSearchParams
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

/** What a path and a method ask for. @throws Refusal 404, 405 */
export function resourceRequest(
  { types }: Machinery,
  route: Extract<Route, { to: 'resource' }>,
  query: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): ResourceRequest {
  const { group, version, plural, namespace, name = '', subresource = '' } = route
  const type = types.find(group, version, plural)
  if (type === undefined || (namespace !== undefined && !type.namespaced)) throw new NotServed()
  if (subresource !== '' && !type.subresources.includes(subresource)) throw new NotServed()
  const verb = verbOf(request.method ?? 'GET', name, flag(query, 'watch') === true)
  const alone = name !== '' && verb !== 'list' && verb !== 'watch'
  if (
    verb === undefined ||
    !type.verbs.includes(verb) ||
    (alone && type.namespaced && namespace === undefined)
  )
    throw methodNotAllowed(resourceOf(type), request.method ?? '')
  if (verb === 'create' && type.namespaced && namespace === undefined)
    throw methodNotAllowed(resourceOf(type), 'create')
  const call: Call = {
    type,
    namespace,
    name,
    subresource,
    user: admin,
    dryRun: dryRun(query),
    manager: managerOf(query, request.headers['user-agent']),
    validation: fieldValidation(query),
    warnings: type.deprecation === undefined ? [] : [type.deprecation],
  }
  return { call, verb, query, request, response }
}

function verbOf(method: string, name: string, watch: boolean): Verb | undefined {
  switch (method) {
    case 'GET':
    case 'HEAD':
      if (watch) return 'watch'
      return name === '' ? 'list' : 'get'
    case 'POST':
      return name === '' ? 'create' : undefined
    case 'PUT':
      return name === '' ? undefined : 'update'
    case 'PATCH':
      return name === '' ? undefined : 'patch'
    case 'DELETE':
      return name === '' ? 'deletecollection' : 'delete'
    default:
      return undefined
  }
}

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
  switch (verb) {
    case 'get': {
      const stored = get(machinery, call)
      return answer(200, (await inVersion(machinery, call.type, [stored]))[0])
    }
    case 'list':
      return sendList(machinery, asked, accepted)
    case 'watch':
      return watch(machinery, asked, accepted, watching)
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

/** From the body, or from the query. @throws Refusal 400 */
async function deleteOptions({ request, query }: ResourceRequest): Promise<DeleteOptions> {
  const text = await readBody(request)
  const body = text.length === 0 ? {} : parseObject(text, mediaType(request))
  if (typeof body !== 'object' || body === null) throw badRequest('the body is not a DeleteOptions')
  const grace = query.get('gracePeriodSeconds')
  const policy = query.get('propagationPolicy') as NonNullable<DeleteOptions['propagationPolicy']> | null
  return {
    ...(grace === null ? {} : { gracePeriodSeconds: Number(grace) }),
    ...(policy === null ? {} : { propagationPolicy: policy }),
    ...(body as DeleteOptions),
  }
}

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

async function sendList(
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

function watch(
  machinery: Machinery,
  { call, query, response }: ResourceRequest,
  { as }: Accepted,
  watching: (watcher: Watcher) => () => void,
): void {
  const { labelSelector, fieldSelector, resourceVersion, resourceVersionMatch } = listOptions(query)
  let corked = false
  const uncork = (): void => {
    if (corked) response.uncork()
    corked = false
  }
  const sink: Sink = {
    write: line => {
      // What happens in one turn of the event loop goes out together.
      if (!corked) {
        corked = true
        response.cork()
        setImmediate(uncork)
      }
      response.write(line)
    },
    end: () => {
      // Node.js 22 loses what is corked when the response ends.
      uncork()
      response.end()
    },
    destroy: () => {
      response.destroy()
    },
    get waiting() {
      return response.writableLength
    },
  }
  const watcher = new Watcher(
    machinery,
    call,
    {
      labelSelector,
      fieldSelector,
      resourceVersion,
      resourceVersionMatch,
      bookmarks: flag(query, 'allowWatchBookmarks') === true,
      initialEvents: flag(query, 'sendInitialEvents'),
      timeoutSeconds: timeoutSeconds(query),
      as,
      include: includeObject(query),
    },
    sink,
  )
  response.writeHead(200, { 'content-type': 'application/json', 'transfer-encoding': 'chunked' })
  response.flushHeaders()
  response.on('close', () => watcher.drop())
  const ended = watching(watcher)
  watcher.start(ended)
}
