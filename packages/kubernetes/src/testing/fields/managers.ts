import type { KubeObject, ManagedFieldsEntry } from '../api/object.ts'
import type { FieldTree } from './field-tree.ts'
import { difference, intersection, isEmpty, union } from './field-tree.ts'

/** Who writes, and how. */
export interface Writer {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly subresource: string
}

const setOf = (entry: ManagedFieldsEntry): FieldTree => entry.fieldsV1 as FieldTree

/** Whether an entry is the one of a writer. */
export const isBy = (entry: ManagedFieldsEntry, writer: Writer): boolean =>
  entry.manager === writer.manager &&
  entry.operation === writer.operation &&
  (entry.operation === 'Apply' || entry.apiVersion === writer.apiVersion) &&
  (entry.subresource ?? '') === writer.subresource

/** What a writer owned before. */
export const ownedBy = (entries: readonly ManagedFieldsEntry[], writer: Writer): FieldTree => {
  const found = entries.find(entry => isBy(entry, writer))
  return found === undefined ? {} : setOf(found)
}

/** Entries with other fields, without those that own nothing any more. */
function kept(
  entries: readonly ManagedFieldsEntry[],
  change: (set: FieldTree) => FieldTree,
): ManagedFieldsEntry[] {
  return entries.flatMap(entry => {
    const fieldsV1 = change(setOf(entry))
    return isEmpty(fieldsV1) ? [] : [{ ...entry, fieldsV1 }]
  })
}

const size = (tree: FieldTree): number => JSON.stringify(tree).length

/**
 * Who owns what after a write: the writer owns `owned`; others lose what changed, and what is not there any more.
 * `present` are all fields of the object, `changed` those that the write changed.
 */
export function afterWrite(
  entries: readonly ManagedFieldsEntry[],
  writer: Writer,
  fields: { readonly owned: FieldTree; readonly changed: FieldTree; readonly present: FieldTree },
  time: string,
): ManagedFieldsEntry[] | undefined {
  const { owned, changed, present } = fields
  const mine = entries.find(entry => isBy(entry, writer))
  const others = kept(
    entries.filter(entry => entry !== mine),
    set => intersection(difference(set, changed), present),
  )
  const next: ManagedFieldsEntry[] = [...others]
  if (!isEmpty(owned)) {
    const same = mine !== undefined && size(setOf(mine)) === size(owned) && isEmpty(changed)
    next.push({
      manager: writer.manager,
      operation: writer.operation,
      apiVersion: writer.apiVersion,
      time: same ? (mine.time ?? time) : time,
      fieldsType: 'FieldsV1',
      fieldsV1: owned,
      ...(writer.subresource === '' ? {} : { subresource: writer.subresource }),
    })
  }
  return next.length === 0 ? undefined : next.sort(byOperation)
}

/** What an update leaves its writer with: what it had, and what it changed. */
export const ownedAfterUpdate = (before: FieldTree, changed: FieldTree, present: FieldTree): FieldTree =>
  intersection(union(before, changed), present)

const order = (entry: ManagedFieldsEntry): string =>
  [entry.operation, entry.time ?? '', entry.manager, entry.subresource ?? ''].join('\n')

const byOperation = (a: ManagedFieldsEntry, b: ManagedFieldsEntry): number => (order(a) < order(b) ? -1 : 1)

/** The entries that a write begins with: those that came with the object, else those of the one before; `[{}]` begins anew. */
export function entriesOf(object: KubeObject, old: KubeObject | undefined): readonly ManagedFieldsEntry[] {
  const given = object.metadata.managedFields
  if (given !== undefined && given.length > 0)
    return given.length === 1 && Object.keys(given[0] as object).length === 0 ? [] : given
  return old?.metadata.managedFields ?? []
}
