import { isFields } from '../api/object.ts'
import { below, type Schema } from '../schema/schema.ts'
import type { FieldTree } from './field-tree.ts'
import { itemElement } from './fields-of.ts'

/** A live value with an applied one merged into it; the live one may be changed in place. */
export function mergeApplied(schema: Schema | undefined, live: unknown, applied: unknown): unknown {
  if (isFields(applied) && isFields(live) && schema?.['x-kubernetes-map-type'] !== 'atomic') {
    for (const name in applied)
      live[name] = mergeApplied(schema && below(schema, name), live[name], applied[name])
    return live
  }
  const kind = schema?.['x-kubernetes-list-type']
  if (!Array.isArray(applied) || !Array.isArray(live) || (kind !== 'map' && kind !== 'set')) return applied
  const places = new Map(live.map((item, index) => [itemElement(schema, item), index]))
  const result: unknown[] = [...live]
  for (const item of applied) {
    const index = places.get(itemElement(schema, item))
    if (index === undefined) result.push(item)
    else if (kind === 'map') result[index] = mergeApplied(schema?.items, result[index], item)
  }
  return result
}

/** Takes fields out of a value; gives what is left of it, nothing when that is nothing. */
export function removeFields(schema: Schema | undefined, value: unknown, gone: FieldTree): unknown {
  const all = Object.keys(gone)
  if (all.length === 0) return undefined
  // Who no longer owns a container as such still leaves what is in it.
  const elements = all.filter(element => element !== '.')
  if (Array.isArray(value)) {
    const left = value.flatMap(item => {
      const below = gone[itemElement(schema, item) ?? '']
      if (below === undefined) return [item]
      // An item that nobody owns any more goes, with what nobody ever owned in it.
      if (below['.'] !== undefined || Object.keys(below).length === 0) return []
      return [removeFields(schema?.items, item, below)]
    })
    return left.length === 0 ? undefined : left
  }
  if (!isFields(value)) return value
  for (const element of elements) {
    const name = element.slice(2)
    if (!element.startsWith('f:') || value[name] === undefined) continue
    const left = removeFields(schema && below(schema, name), value[name], gone[element] as FieldTree)
    if (left === undefined) delete value[name]
    else value[name] = left
  }
  return Object.keys(value).length === 0 ? undefined : value
}
