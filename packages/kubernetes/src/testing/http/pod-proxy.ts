import { type IncomingMessage, request as open, type ServerResponse } from 'node:http'
import { fieldsOf, listOf } from '../api/object.ts'
import { badRequest, notFound, refusedAs } from '../api/status.ts'
import type { Store } from '../store/store.ts'
import type { Route } from './route.ts'

/** A request that is to be handed to a pod: `GET /api/v1/namespaces/NAMESPACE/pods/NAME:PORT/proxy/PATH`. */
export interface PodProxy {
  readonly namespace: string
  /** As in the path: with the port, and the scheme, if any. */
  readonly name: string
}

const pods = { group: '', name: 'pods' }

/** What a route hands to a pod; nothing where it leads elsewhere. */
export function podProxy(route: Route): PodProxy | undefined {
  if (route.to !== 'resource' || route.group !== '' || route.plural !== 'pods') return undefined
  const { namespace, name, subresource = '' } = route
  const proxied = subresource === 'proxy' || subresource.startsWith('proxy/')
  return proxied && namespace !== undefined && name !== undefined ? { namespace, name } : undefined
}

/**
 * Hands a request to the pod, at its address and the port that the path names, or the first that the pod does; and the answer back.
 * Credentials stay here. @throws Refusal 400, 404, 503
 */
export async function handToPod(
  store: Store,
  { namespace, name }: PodProxy,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [scheme, pod = '', port] = /^(?:(https?):)?([^:]+)(?::(\w+))?$/.exec(name)?.slice(1) ?? []
  if (pod === '' || scheme === 'https') throw badRequest(`invalid pod request "${name}"`)
  const found = store.collection('pods').get(namespace, pod)
  if (found === undefined) throw notFound(pods, pod)
  const { status, spec } = found.object
  const ports = listOf(fieldsOf(spec).containers).flatMap(one => listOf(fieldsOf(one).ports).map(fieldsOf))
  const named = ports.find(one => (port === undefined ? true : one.name === port))
  const number = port !== undefined && /^\d+$/.test(port) ? Number(port) : Number(named?.containerPort ?? 80)
  const { podIP } = fieldsOf(status)
  if (typeof podIP !== 'string') throw badRequest(`address not allowed: the pod ${pod} has none`)
  const [, path = '/'] = /\/proxy(\/.*)?$/s.exec((request.url ?? '').replace(/^(.*?\/pods\/[^/]+)/, '')) ?? []
  const { authorization: _, host: __, ...headers } = request.headers
  await new Promise<void>((resolve, reject) => {
    const passed = open(
      { host: podIP, port: number, path, method: request.method ?? 'GET', headers },
      answer => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response).on('close', resolve)
      },
    )
    passed.on('error', error => {
      if (response.headersSent) response.destroy()
      else reject(refusedAs(503, 'ServiceUnavailable', `error trying to reach service: ${error.message}`, {}))
    })
    request.pipe(passed)
  })
}
