import { age, ageColumn, type Column, nameColumn } from '../kinds/column.ts'
import type { DefinedColumn } from './definition.ts'
import { JsonPath } from './json-path.ts'

/** What the table of a custom resource shows; only its age where its definition does not say. */
export function customColumns(defined: readonly DefinedColumn[] | undefined): readonly Column[] {
  if (defined === undefined || defined.length === 0) return [nameColumn, ageColumn]
  return [nameColumn, ...defined.map(customColumn)]
}

function customColumn({ name, type, format, description, priority, jsonPath }: DefinedColumn): Column {
  const path = new JsonPath(jsonPath)
  return {
    name,
    type: type as Column['type'],
    ...(format === undefined ? {} : { format }),
    description: description ?? `${name} of the object.`,
    priority: priority ?? 0,
    cell: (object, { now }) => cell(type, path.read(object)[0], now),
  }
}

function cell(type: string, value: unknown, now: Date): unknown {
  if (value === undefined) return null
  switch (type) {
    case 'string':
      return typeof value === 'string' ? value : JSON.stringify(value)
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    default:
      return age(value, now)
  }
}
