import type { IncomingMessage, ServerResponse } from 'node:http'
import { forbidden, internalError, Refusal, refusedAs } from '../api/status.ts'
import type { Authenticator } from '../auth/authenticator.ts'
import { type Action, type Authorizer, refusalText } from '../auth/authorizer.ts'
import { group, groups, resources, version, versions } from '../http/discovery.ts'
import { NotServed } from '../http/not-served.ts'
import { handToPod, type PodProxy, podProxy } from '../http/pod-proxy.ts'
import { send, sendStatus, sendText } from '../http/reply.ts'
import { handleResource } from '../http/resource-handler.ts'
import { type ResourceRequest, resourceRequest } from '../http/resource-request.ts'
import { type Route, route } from '../http/route.ts'
import { resourceOf, type Verb } from '../kinds/api-type.ts'
import { documentsV3, documentV3 } from '../openapi/document-v3.ts'
import { sendOpenApiV2 } from '../openapi/send-v2.ts'
import type { User } from '../registry/call.ts'
import type { Machinery } from '../registry/machinery.ts'
import type { Watcher } from '../watch/watcher.ts'
import type { RequestCounters } from './counters.ts'
import type { Faults } from './faults.ts'

/** What requests are answered with. */
export interface Serving {
  readonly machinery: Machinery
  readonly authenticator: Authenticator
  readonly authorizer: Authorizer
  readonly counters: RequestCounters
  readonly faults: Faults
  readonly watchers: Set<Watcher>
}

/** Who may ask for these does not have to be anybody. */
const open = ['/healthz', '/livez', '/readyz', '/version']

/** What a method is called where a request is handed on. */
const methods: Readonly<Record<string, Verb>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}

/** Answers HTTP requests: finds out who is asking, whether they may, and what for. */
export class RequestHandler {
  readonly #serving: Serving

  constructor(serving: Serving) {
    this.#serving = serving
  }

  /** Never throws: what goes wrong is answered. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.#handle(request, response)
    } catch (error) {
      if (response.destroyed) return
      if (error instanceof NotServed) {
        sendText(response, 404, '404 page not found\n')
        return
      }
      const refusal =
        error instanceof Refusal ? error : internalError((error as Error).stack ?? String(error))
      sendStatus(response, refusal.status)
    }
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { machinery, authenticator, counters, faults } = this.#serving
    const [path = '/', query = ''] = (request.url ?? '/').split('?', 2)
    const found = route(path)
    if (found.to !== 'resource') {
      await faults.meet(undefined, path)
      if (!open.includes(path)) {
        const verb = (request.method ?? 'GET').toLowerCase()
        this.#authorizePath(authenticator.userOf(request), { verb, path: path })
      }
      this.#describe(found, request, response)
      return
    }
    const proxied = podProxy(found)
    if (proxied) {
      counters.add('get', 'pods/proxy')
      await faults.meet('get', 'pods/proxy')
      this.#authorizeProxy(authenticator.userOf(request), proxied, request.method ?? 'GET')
      await handToPod(machinery.store, proxied, request, response)
      return
    }
    // Faults come before all questions of who is asking: as from a proxy in front.
    const asked = resourceRequest(machinery, found, new URLSearchParams(query), request, response)
    const { type, subresource } = asked.call
    const plural = subresource === '' ? type.plural : `${type.plural}/${subresource}`
    const counted = type.group === '' ? plural : `${plural}.${type.group}`
    counters.add(asked.verb, counted)
    await faults.meet(asked.verb, counted)
    const user = authenticator.userOf(request)
    this.#authorize(user, asked, plural)
    await handleResource(machinery, { ...asked, call: { ...asked.call, user } }, watcher =>
      this.#watching(watcher),
    )
  }

  /** @throws Refusal 403 */
  #authorize(user: User, { call, verb }: ResourceRequest, resource: string): void {
    const { type, namespace, name } = call
    const action: Action = { verb, group: type.group, resource, namespace, name }
    if (!this.#serving.authorizer.allows(user, action))
      throw forbidden(resourceOf(type), name, refusalText(user, action))
  }

  /** @throws Refusal 403 */
  #authorizeProxy(user: User, { namespace, name }: PodProxy, method: string): void {
    const verb = methods[method] ?? 'create'
    const action: Action = { verb, group: '', resource: 'pods/proxy', namespace, name }
    if (!this.#serving.authorizer.allows(user, action))
      throw forbidden({ group: '', name: 'pods' }, name, refusalText(user, action))
  }

  /** @throws Refusal 403 */
  #authorizePath(user: User, action: Extract<Action, { path: string }>): void {
    if (!this.#serving.authorizer.allows(user, action))
      throw refusedAs(403, 'Forbidden', `forbidden: ${refusalText(user, action)}`, {})
  }

  /** Answers what is about the API rather than about objects. @throws Refusal 404 */
  #describe(
    found: Exclude<Route, { to: 'resource' }>,
    request: IncomingMessage,
    response: ServerResponse,
  ): void {
    const { types } = this.#serving.machinery
    switch (found.to) {
      case 'versions':
        send(response, 200, versions(request.headers.host ?? ''))
        return
      case 'groups':
        send(response, 200, groups(types))
        return
      case 'group':
        send(response, 200, group(types, found.group))
        return
      case 'resources':
        send(response, 200, resources(types, found.group, found.version))
        return
      case 'other':
        this.#other(found.path, request, response)
        return
    }
  }

  #other(path: string, request: IncomingMessage, response: ServerResponse): void {
    const all = this.#serving.machinery.types.all()
    const v3 = '/openapi/v3/'
    if (path === '/version') send(response, 200, version())
    else if (open.includes(path)) sendText(response, 200, 'ok')
    else if (path === '/openapi/v2') sendOpenApiV2(response, all, request.headers.accept ?? '')
    else if (path === '/openapi/v3') send(response, 200, documentsV3(all))
    else if (path.startsWith(v3)) send(response, 200, documentV3(all, path.slice(v3.length)))
    else throw new NotServed()
  }

  #watching(watcher: Watcher): () => void {
    const { watchers } = this.#serving
    watchers.add(watcher)
    return () => watchers.delete(watcher)
  }
}
