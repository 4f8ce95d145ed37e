import { type Fields, isFields } from './object.ts'

/** A copy of a JSON value that shares nothing with it; several times faster than `structuredClone`, which can copy more. */
export function clone<T>(value: T): T {
  if (Array.isArray(value)) return value.map(clone) as T
  if (!isFields(value)) return value
  const copy: Fields = {}
  for (const key in value) copy[key] = clone(value[key])
  return copy as T
}
