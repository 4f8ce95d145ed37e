import { type FieldError, forbiddenField, notSupported } from '../api/field-error.ts'
import { invalid, refusedAs } from '../api/status.ts'

/** Which objects of a collection are asked for. */
export interface Selection {
  readonly labelSelector: string
  readonly fieldSelector: string
}

/** How a list is asked for; an empty text is what the client did not say. */
export interface ListOptions extends Selection {
  readonly resourceVersion: string
  readonly resourceVersionMatch: string
  /** 0 for no limit. */
  readonly limit: number
  readonly continue: string
}

const kind = { group: 'meta.k8s.io', name: 'ListOptions' }

const refuseUnlessNone = (errors: readonly FieldError[]): void => {
  if (errors.length > 0) throw invalid(kind, '', errors)
}

/** Options that contradict each other. @throws Refusal 422 */
export function checkListOptions({
  resourceVersion,
  resourceVersionMatch: match,
  ...options
}: ListOptions): void {
  if (match === '') return
  const forbid = (detail: string): FieldError => forbiddenField('resourceVersionMatch', detail)
  const errors: FieldError[] = []
  if (resourceVersion === '')
    errors.push(forbid('resourceVersionMatch is forbidden unless resourceVersion is provided'))
  if (options.continue !== '')
    errors.push(forbid('resourceVersionMatch is forbidden when continue is provided'))
  if (match !== 'Exact' && match !== 'NotOlderThan')
    errors.push(notSupported('resourceVersionMatch', match, ['Exact', 'NotOlderThan', '']))
  if (match === 'Exact' && resourceVersion === '0')
    errors.push(forbid('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
  refuseUnlessNone(errors)
}

/** The same for a watch. @throws Refusal 422 */
export function checkWatchOptions(initialEvents: boolean | undefined, match: string): void {
  const errors: FieldError[] = []
  if (match !== '' && initialEvents === undefined)
    errors.push(
      forbiddenField(
        'resourceVersionMatch',
        'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided',
      ),
    )
  if (initialEvents !== undefined && match !== 'NotOlderThan')
    errors.push(
      forbiddenField(
        'resourceVersionMatch',
        'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan',
      ),
    )
  refuseUnlessNone(errors)
}

/** A version of the store in a query; nothing when the client did not say. @throws Refusal 500, as a real API server does */
export function revisionOf(text: string): number | undefined {
  if (text === '') return undefined
  if (!/^\d+$/.test(text))
    throw refusedAs(
      500,
      '',
      `resourceVersion: Invalid value: "${text}": strconv.ParseUint: parsing "${text}": invalid syntax`,
    )
  return Number(text)
}
