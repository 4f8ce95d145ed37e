/** An object of which nothing is known but that it is one. */
export type Fields = Readonly<Record<string, unknown>>

export const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A value as an object; an empty one when it is none. */
export const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {})

/** A value as text; empty when it is none. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')
