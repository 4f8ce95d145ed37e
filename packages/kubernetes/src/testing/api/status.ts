import { CarillonError } from '@carillon/core'
import type { codes } from '../../codes.ts'
import { type FieldError, fieldErrorText } from './field-error.ts'

/** One cause of a refusal. */
export interface StatusCause {
  readonly reason: string
  readonly message: string
  readonly field?: string
}

/** What the API server answers when it has no object to give. */
export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: Readonly<Record<string, unknown>>
  readonly status: 'Success' | 'Failure'
  readonly message?: string
  readonly reason?: string
  readonly details?: {
    readonly name?: string
    readonly group?: string
    readonly kind?: string
    readonly uid?: string
    readonly causes?: readonly StatusCause[]
    readonly retryAfterSeconds?: number
  }
  readonly code?: number
}

/** A kind or resource within its group: how refusals name it. */
export interface Named {
  readonly group: string
  readonly name: string
}

/** Thrown when a request is refused: what clients get to see is `status`. */
export class Refusal extends CarillonError {
  readonly status: Status

  constructor(status: Status) {
    super('API_REFUSED' satisfies keyof typeof codes, status.message ?? status.reason ?? 'refused', {
      status: status.code,
      reason: status.reason,
    })
    this.status = status
  }
}

const qualified = ({ group, name }: Named): string => (group === '' ? name : `${name}.${group}`)

function failure(code: number, reason: string, message: string, details?: Status['details']): Refusal {
  return new Refusal({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    ...(reason === '' ? {} : { reason }),
    ...(details === undefined ? {} : { details }),
    code,
  })
}

const about = (what: Named, name: string): NonNullable<Status['details']> => ({
  ...(name === '' ? {} : { name }),
  ...(what.group === '' ? {} : { group: what.group }),
  kind: what.name,
})

/** 404 for a resource that a built-in group does not have. */
export const noSuchResource = (): Refusal =>
  failure(404, 'NotFound', 'the server could not find the requested resource', {})

/** 404 for an object. */
export const notFound = (resource: Named, name: string): Refusal =>
  failure(404, 'NotFound', `${qualified(resource)} "${name}" not found`, about(resource, name))

/** 409 for a name that is taken. */
export const alreadyExists = (resource: Named, name: string): Refusal =>
  failure(409, 'AlreadyExists', `${qualified(resource)} "${name}" already exists`, about(resource, name))

/** 409 for a write on top of an old version, or against a precondition. */
export const conflict = (
  resource: Named,
  name: string,
  why = 'the object has been modified; please apply your changes to the latest version and try again',
): Refusal =>
  failure(
    409,
    'Conflict',
    `Operation cannot be fulfilled on ${qualified(resource)} "${name}": ${why}`,
    about(resource, name),
  )

/** A field that somebody else owns and that would get another value. `manager` is how the API server calls the owner. */
export interface FieldConflict {
  readonly field: string
  readonly manager: string
}

/** 409 for an apply that would take fields from other managers. */
export function applyConflict(conflicts: readonly FieldConflict[]): Refusal {
  const causes = conflicts.map(({ field, manager }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${manager}`,
    field,
  }))
  const [first] = conflicts
  if (first !== undefined && conflicts.length === 1)
    return failure(
      409,
      'Conflict',
      `Apply failed with 1 conflict: conflict with ${first.manager}: ${first.field}`,
      { causes },
    )
  const lines = [...new Set(conflicts.map(one => one.manager))]
    .toSorted()
    .flatMap(manager => [
      `conflicts with ${manager}:`,
      ...conflicts.filter(one => one.manager === manager).map(({ field }) => `- ${field}`),
    ])
  return failure(409, 'Conflict', `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`, {
    causes,
  })
}

/** 422: the object breaks a rule. */
export function invalid(kind: Named, name: string, errors: readonly FieldError[]): Refusal {
  const texts = errors.map(error => `${error.field}: ${fieldErrorText(error)}`)
  const all = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`
  return failure(422, 'Invalid', `${qualified(kind)} "${name}" is invalid: ${all}`, {
    ...about(kind, name),
    causes: errors.map(error => ({
      reason: error.reason,
      message: fieldErrorText(error),
      field: error.field,
    })),
  })
}

/** 400: the request makes no sense. */
export const badRequest = (message: string): Refusal => failure(400, 'BadRequest', message)

/** 401: nobody known is asking. */
export const unauthorized = (): Refusal => failure(401, 'Unauthorized', 'Unauthorized')

/** 403 for a request as such: the message names who, the verb and the resource. */
export const forbidden = (resource: Named, name: string, why: string): Refusal =>
  failure(
    403,
    'Forbidden',
    `${qualified(resource)}${name === '' ? '' : ` "${name}"`} is forbidden: ${why}`,
    about(resource, name),
  )

/** 403 in a namespace that is being deleted. */
export const terminating = (resource: Named, name: string, namespace: string): Refusal =>
  failure(
    403,
    'Forbidden',
    `${qualified(resource)} "${name}" is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
    {
      ...about(resource, name),
      causes: [
        {
          reason: 'NamespaceTerminating',
          message: `namespace ${namespace} is being terminated`,
          field: 'metadata.namespace',
        },
      ],
    },
  )

/** 405: the path does not know the method. */
export const methodUnknown = (): Refusal =>
  failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})

/** 405: the resource does not know the verb. */
export const methodNotAllowed = (resource: Named, action: string): Refusal =>
  failure(405, 'MethodNotAllowed', `${action} is not supported on resources of kind "${qualified(resource)}"`)

/** 406: none of the media types that the client takes is known. */
export const notAcceptable = (): Refusal =>
  failure(
    406,
    'NotAcceptable',
    'only the following media types are accepted: application/json, application/yaml',
  )

/** 415: the body has a media type that is not known here. */
export const unsupportedMediaType = (type: string, known: readonly string[]): Refusal =>
  failure(
    415,
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${known.join(', ')}; not ${type === '' ? 'none' : type}`,
  )

/** 410: the history that was asked for is gone. */
export const expired = (message: string): Refusal => failure(410, 'Expired', message)

/** 504: the version that was asked for lies in the future. */
export const tooLargeResourceVersion = (asked: number, current: number): Refusal =>
  failure(504, 'Timeout', `Too large resource version: ${asked}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  })

/** 429: come back later. */
export const tooManyRequests = (retryAfterSeconds: number): Refusal =>
  failure(429, 'TooManyRequests', 'too many requests, please try again later.', { retryAfterSeconds })

/** 500. */
export const internalError = (message: string): Refusal =>
  failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ reason: '', message }] })

/** A refusal in a webhook's own words. */
export const refusedAs = (
  code: number,
  reason: string,
  message: string,
  details?: Status['details'],
): Refusal => failure(code, reason, message, details)

/** The answer to a deletion that leaves no object to show. */
export const deleted = (resource: Named, name: string, uid: string | undefined): Status => ({
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Success',
  details: { ...about(resource, name), ...(uid === undefined ? {} : { uid }) },
})
