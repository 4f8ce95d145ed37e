/** Whether two values made of plain objects, lists and primitives say the same. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!sameValue(a[i], b[i])) return false
    return true
  }
  if (Array.isArray(b)) return false
  const [left, right] = [a as Readonly<Record<string, unknown>>, b as Readonly<Record<string, unknown>>]
  let fields = 0
  for (const key in left) {
    fields++
    if (!Object.hasOwn(right, key) || !sameValue(left[key], right[key])) return false
  }
  for (const _ in right) fields--
  return fields === 0
}
