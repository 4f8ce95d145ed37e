import { CarillonError, type ErrorDetails } from '@carillon/core'
import { type Action, describeAction, describeObject } from './action.ts'
import { resourceName } from './resource-type.ts'

/** `metav1.Status`, as far as it is read. */
interface Status {
  readonly message?: string
  readonly reason?: string
  readonly details?: {
    readonly name?: string
    readonly kind?: string
    readonly retryAfterSeconds?: number
  }
}

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Reads a `metav1.Status`; of anything else there is nothing to read. */
function statusOf(body: unknown): Status {
  if (!isFields(body)) return {}
  const { message, reason, details } = body
  const from = isFields(details) ? details : {}
  return {
    ...(typeof message === 'string' ? { message } : {}),
    ...(typeof reason === 'string' ? { reason } : {}),
    details: {
      ...(typeof from.name === 'string' ? { name: from.name } : {}),
      ...(typeof from.kind === 'string' ? { kind: from.kind } : {}),
      ...(typeof from.retryAfterSeconds === 'number' ? { retryAfterSeconds: from.retryAfterSeconds } : {}),
    },
  }
}

/** The longest that is waited for because a server asks for it. */
const maxRetryAfterMs = 60_000

/** How long to wait, in milliseconds, where the answer says so. `Retry-After` is only ever given in seconds by Kubernetes. */
function retryAfter(status: Status, header: string | undefined): number | undefined {
  const seconds = header !== undefined && /^\d+$/.test(header) ? Number(header) : undefined
  const asked = seconds ?? status.details?.retryAfterSeconds
  return asked === undefined ? undefined : Math.min(Math.max(0, asked * 1000), maxRetryAfterMs)
}

/**
 * What an answer that is not a success means, as an error.
 *
 * @param code the HTTP status, or the `code` of a `metav1.Status` in a watch
 * @param body the parsed body, or its text where it is not JSON
 * @param header the value of `Retry-After`
 */
export function failureOf(action: Action, code: number, body: unknown, header?: string): CarillonError {
  const status = statusOf(body)
  const said = status.message ?? (typeof body === 'string' ? body.trim().slice(0, 200) : '')
  const because = said === '' ? '' : `: ${said}`
  const what = describeAction(action)
  const wait = retryAfter(status, header)
  const details: ErrorDetails = {
    verb: action.verb,
    resource: resourceName(action.type),
    namespace: action.namespace,
    name: action.name,
    status: code,
    reason: status.reason,
    retryAfterMs: wait,
  }
  const error = (name: string, message: string): CarillonError => new CarillonError(name, message, details)
  if (code === 410 || status.reason === 'Expired' || status.reason === 'Gone')
    return error('API_GONE', `cannot ${what}: the resource version is too old${because}`)
  // Also a 500 or 504 may ask to come back.
  if (code === 429 || (code >= 500 && wait !== undefined)) {
    const when = wait === undefined ? 'later' : `in ${wait / 1000} s`
    return error('API_BUSY', `cannot ${what} now: the API server asks to come back ${when}${because}`)
  }
  switch (code) {
    case 401:
      return error(
        'API_UNAUTHORIZED',
        `cannot ${what}: the API server does not accept the credentials${because}`,
      )
    case 403:
      return error(
        'API_FORBIDDEN',
        `may not ${what}: give the account the verb "${action.verb}" on this resource by RBAC${because}`,
      )
    case 404:
      // Of an object the server says which one; of a resource it knows nothing.
      if (action.name !== undefined && status.details?.name !== undefined)
        return error('API_NOT_FOUND', `cannot ${what}: there is no such object`)
      if (status.details?.kind === 'namespaces')
        return error('API_NOT_FOUND', `cannot ${what}: there is no namespace ${status.details.name ?? ''}`)
      return error(
        'API_NO_SUCH_RESOURCE',
        `cannot ${what}: the API server does not know this resource; install its CustomResourceDefinition`,
      )
    case 409:
      if (status.reason === 'AlreadyExists')
        return error('API_EXISTS', `cannot ${what}: an object of this name exists already`)
      return error('API_CONFLICT', `cannot ${what}: it was changed by somebody else meanwhile${because}`)
    case 400:
    case 413:
    case 415:
    case 422:
      return error('API_INVALID', `cannot ${what}: the API server finds it invalid${because}`)
    default:
      return error('API_FAILED', `cannot ${what}: the API server answered ${code}${because}`)
  }
}

/** What Node.js says of certificates that it does not trust. */
const untrusted =
  /^(CERT_|ERR_TLS_CERT|UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|PATH_LENGTH|ERR_SSL_)/

const plain: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the connection broke',
  EPIPE: 'the connection broke',
  ETIMEDOUT: 'no answer to the attempt to connect',
  EHOSTUNREACH: 'the host does not answer',
  ENETUNREACH: 'there is no route to it',
  ENOTFOUND: 'its name is not known to DNS',
  EAI_AGAIN: 'DNS does not answer',
}

/** A failure of the connection itself, as an error that names the server. */
export function connectionFailure(action: Action, server: string, cause: unknown): CarillonError {
  if (cause instanceof CarillonError) return cause
  const errno = (cause as NodeJS.ErrnoException | undefined)?.code
  const said = cause instanceof Error ? cause.message : String(cause)
  const details = { verb: action.verb, resource: resourceName(action.type), server, errno }
  const what = describeAction(action)
  if (errno !== undefined && untrusted.test(errno)) {
    return new CarillonError(
      'API_UNTRUSTED',
      `cannot ${what}: the certificate of ${server} is not trusted: ${said}`,
      details,
      { cause },
    )
  }
  const why = (errno !== undefined && plain[errno]) || said
  return new CarillonError('API_UNREACHABLE', `cannot ${what}: ${server} is out of reach: ${why}`, details, {
    cause,
  })
}

/** The API server took too long. */
export const timeout = (action: Action, server: string, ms: number): CarillonError =>
  new CarillonError(
    'API_TIMEOUT',
    `cannot ${describeAction(action)}: ${server} did not answer within ${Math.round(ms / 100) / 10} s`,
    { verb: action.verb, resource: resourceName(action.type), server },
  )

/** The caller gave up. */
export const cancelled = (action: Action): CarillonError =>
  new CarillonError('API_CANCELLED', `${describeAction(action)} was given up`, {
    verb: action.verb,
    resource: resourceName(action.type),
  })

/** What came is not what the API promises. */
export const badAnswer = (action: Action, why: string): CarillonError =>
  new CarillonError('API_BAD_ANSWER', `cannot ${describeAction(action)}: ${why}`, {
    verb: action.verb,
    resource: resourceName(action.type),
    object: describeObject(action),
  })
