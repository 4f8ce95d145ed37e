import { isFields } from './object.ts'

/** Whether two JSON values are the same; the order of fields does not matter, that of lists does. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => equal(item, b[index]))
  if (!isFields(a) || !isFields(b)) return false
  let left = 0
  for (const key in a) {
    if (a[key] === undefined) continue
    left++
    if (!equal(a[key], b[key])) return false
  }
  for (const key in b) if (b[key] !== undefined) left--
  return left === 0
}
