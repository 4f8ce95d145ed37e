import { badRequest } from '../api/status.ts'
import type { FieldValidation } from '../registry/call.ts'
import type { ListOptions } from '../registry/list-options.ts'
import type { IncludeObject } from './table.ts'

/** A number of a query, whole and not negative. @throws Refusal 400 */
export function whole(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name)
  if (text === null || text === '') return undefined
  if (!/^\d+$/.test(text)) throw badRequest(`${name}: Invalid value: "${text}": must be a whole number`)
  return Number(text)
}

/** A yes or no of a query. */
export const flag = (query: URLSearchParams, name: string): boolean | undefined => {
  const text = query.get(name)
  return text === null ? undefined : text === '' || text === 'true' || text === '1'
}

/** How a list or a watch is asked for. @throws Refusal 400 */
export const listOptions = (query: URLSearchParams): ListOptions => ({
  labelSelector: query.get('labelSelector') ?? '',
  fieldSelector: query.get('fieldSelector') ?? '',
  resourceVersion: query.get('resourceVersion') ?? '',
  resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
  limit: whole(query, 'limit') ?? 0,
  continue: query.get('continue') ?? '',
})

/** How long a watch may last. @throws Refusal 400 */
export const timeoutSeconds = (query: URLSearchParams): number | undefined => whole(query, 'timeoutSeconds')

/** @throws Refusal 400 */
export function dryRun(query: URLSearchParams): boolean {
  const values = query.getAll('dryRun').filter(value => value !== '')
  if (values.some(value => value !== 'All'))
    throw badRequest(`dryRun: Unsupported value: "${values[0]}": supported values: "All"`)
  return values.length > 0
}

/** @throws Refusal 400 */
export function fieldValidation(query: URLSearchParams): FieldValidation {
  const text = query.get('fieldValidation') ?? 'Warn'
  if (text === '' || text === 'Warn') return 'Warn'
  if (text === 'Ignore' || text === 'Strict') return text
  throw badRequest(
    `fieldValidation: Unsupported value: "${text}": supported values: "Ignore", "Strict", "Warn"`,
  )
}

/** @throws Refusal 400 */
export function includeObject(query: URLSearchParams): IncludeObject {
  const text = query.get('includeObject') ?? 'Metadata'
  if (text === '' || text === 'Metadata') return 'Metadata'
  if (text === 'None' || text === 'Object') return text
  throw badRequest(`includeObject: Unsupported value: "${text}"`)
}

/** Who the fields that a request writes will belong to: the client says so, or is called as its program. */
export const managerOf = (query: URLSearchParams, userAgent: string | undefined): string =>
  (query.get('fieldManager') || (userAgent ?? '').split('/')[0] || 'unknown').slice(0, 128)
