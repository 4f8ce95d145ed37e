import type { IncomingMessage, ServerResponse } from 'node:http'
import { methodUnknown, noSuchResource } from '../api/status.ts'
import type { Verb } from '../kinds/api-type.ts'
import { admin, type Call } from '../registry/call.ts'
import type { Machinery } from '../registry/machinery.ts'
import { NotServed } from './not-served.ts'
import { dryRun, fieldValidation, flag, managerOf } from './query.ts'
import type { Route } from './route.ts'

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
  if (
    type === undefined ||
    (namespace !== undefined && !type.namespaced) ||
    (subresource !== '' && !type.subresources.includes(subresource))
  )
    throw types.all().some(one => one.group === group && one.custom === undefined)
      ? noSuchResource()
      : new NotServed()
  const verb = verbOf(request.method ?? 'GET', name, flag(query, 'watch') === true)
  const alone = name !== '' && verb !== 'list' && verb !== 'watch'
  if (
    verb === undefined ||
    !type.verbs.includes(verb) ||
    (alone && type.namespaced && namespace === undefined)
  )
    throw methodUnknown()
  if (verb === 'create' && type.namespaced && namespace === undefined) throw methodUnknown()
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
