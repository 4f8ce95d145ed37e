import { equal } from '../api/equal.ts'
import { type Fields, isFields } from '../api/object.ts'
import { badRequest } from '../api/status.ts'
import { below, type Schema } from '../schema/schema.ts'

const setOrder = '$setElementOrder/'
const deleteFrom = '$deleteFromPrimitiveList/'

/**
 * A value with a strategic merge patch applied: as a merge patch, but lists are merged where the schema says by which key. The
 * value may be changed in place. @throws Refusal 400
 */
export function strategicPatch(schema: Schema | undefined, value: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch
  const directive = patch.$patch
  if (directive === 'replace') return without(patch)
  if (directive === 'delete') return undefined
  if (directive !== undefined && directive !== 'merge')
    throw badRequest(`unknown $patch: ${String(directive)}`)
  const result: Fields = isFields(value) ? value : {}
  const { $retainKeys: retained } = patch
  if (Array.isArray(retained)) for (const key in result) if (!retained.includes(key)) delete result[key]
  for (const [key, part] of Object.entries(patch)) {
    if (key === '$patch' || key === '$retainKeys' || key.startsWith(setOrder)) continue
    if (key.startsWith(deleteFrom)) {
      const name = key.slice(deleteFrom.length)
      const list = result[name]
      if (Array.isArray(list) && Array.isArray(part))
        result[name] = list.filter(item => !part.some(gone => equal(gone, item)))
      continue
    }
    merge(result, key, part, schema && below(schema, key))
  }
  for (const [key, order] of Object.entries(patch))
    if (key.startsWith(setOrder)) sort(result, key.slice(setOrder.length), order, schema)
  return result
}

const without = ({ $patch: _, ...rest }: Fields): Fields => rest

function merge(result: Fields, key: string, part: unknown, field: Schema | undefined): void {
  if (part === null) delete result[key]
  else if (Array.isArray(part)) {
    const list = mergeList(field, result[key], part)
    if (list === undefined) delete result[key]
    else result[key] = list
  } else {
    const merged = strategicPatch(field, result[key], part)
    if (merged === undefined) delete result[key]
    else result[key] = merged
  }
}

function mergeList(
  schema: Schema | undefined,
  value: unknown,
  patch: readonly unknown[],
): unknown[] | undefined {
  if (schema?.['x-kubernetes-patch-strategy'] !== 'merge') return [...patch]
  const list: unknown[] = Array.isArray(value) ? [...value] : []
  const key = schema['x-kubernetes-patch-merge-key']
  if (key === undefined) {
    for (const item of patch) if (!list.some(one => equal(one, item))) list.push(item)
    return list
  }
  if (patch.some(item => isFields(item) && item.$patch === 'replace'))
    return patch.filter(item => isFields(item) && item.$patch !== 'replace')
  for (const item of patch) {
    if (!isFields(item) || item[key] === undefined)
      throw badRequest(`an item of a list has no ${key}, by which the list is merged`)
    const index = list.findIndex(one => isFields(one) && equal(one[key], item[key]))
    const merged = strategicPatch(schema.items, index < 0 ? undefined : list[index], item)
    if (merged === undefined) {
      if (index >= 0) list.splice(index, 1)
    } else if (index < 0) list.push(merged)
    else list[index] = merged
  }
  return list
}

/** Items that the patch names come in its order; others stay behind the one that they were behind. */
function sort(result: Fields, name: string, order: unknown, schema: Schema | undefined): void {
  const list = result[name]
  if (!Array.isArray(list) || !Array.isArray(order)) return
  const key = (schema && below(schema, name))?.['x-kubernetes-patch-merge-key']
  const placeOf = (item: unknown): number =>
    order.findIndex(one =>
      key === undefined ? equal(one, item) : isFields(one) && isFields(item) && equal(one[key], item[key]),
    )
  let last = -1
  result[name] = list
    .map((item, index) => {
      const place = placeOf(item)
      if (place >= 0) last = place
      return { item, place: place >= 0 ? place : last + 0.5, index }
    })
    .sort((a, b) => a.place - b.place || a.index - b.index)
    .map(({ item }) => item)
}
