import { isFields } from '../api/object.ts'

/** A value with a JSON merge patch (RFC 7386) applied; the value may be changed in place. */
export function mergePatch(value: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch
  const result = isFields(value) ? value : {}
  for (const [key, part] of Object.entries(patch)) {
    if (part === null) delete result[key]
    else result[key] = mergePatch(result[key], part)
  }
  return result
}
