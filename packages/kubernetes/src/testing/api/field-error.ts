/** Why one field of an object is refused; the words are those that the API server uses in a Status. */
export type FieldReason =
  | 'FieldValueRequired'
  | 'FieldValueInvalid'
  | 'FieldValueTypeInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueDuplicate'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'FieldValueNotFound'

/** One field of an object that is refused. */
export interface FieldError {
  readonly reason: FieldReason
  readonly field: string
  readonly value?: unknown
  readonly detail: string
}

const prefixes: Readonly<Record<FieldReason, string>> = {
  FieldValueRequired: 'Required value',
  FieldValueInvalid: 'Invalid value',
  FieldValueTypeInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueForbidden: 'Forbidden',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  FieldValueNotFound: 'Not found',
}

const valueless: readonly FieldReason[] = ['FieldValueRequired', 'FieldValueForbidden', 'FieldValueTooLong']

/** The words of the API server for it, without the field. */
export function fieldErrorText({ reason, value, detail }: FieldError): string {
  const parts: string[] = [prefixes[reason]]
  if (!valueless.includes(reason)) parts.push(JSON.stringify(value === undefined ? null : value))
  if (detail !== '') parts.push(detail)
  return parts.join(': ')
}

/** The field has to be there. */
export const required = (field: string, detail = ''): FieldError => ({
  reason: 'FieldValueRequired',
  field,
  detail,
})

/** The value breaks a rule. */
export const invalidValue = (field: string, value: unknown, detail: string): FieldError => ({
  reason: 'FieldValueInvalid',
  field,
  value,
  detail,
})

/** The value is none of those that are known. */
export const notSupported = (field: string, value: unknown, known: readonly string[]): FieldError => ({
  reason: 'FieldValueNotSupported',
  field,
  value,
  detail: `supported values: ${known
    .toSorted()
    .map(one => `"${one}"`)
    .join(', ')}`,
})

/** The field may not be set, or not be changed. */
export const forbiddenField = (field: string, detail: string): FieldError => ({
  reason: 'FieldValueForbidden',
  field,
  detail,
})

/** The text is too long. */
export const tooLong = (field: string, most: number): FieldError => ({
  reason: 'FieldValueTooLong',
  field,
  detail: `may not be more than ${most} bytes`,
})
