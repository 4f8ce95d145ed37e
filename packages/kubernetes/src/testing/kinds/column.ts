import type { KubeObject } from '../api/object.ts'

/** What a column is read against. */
export interface CellContext {
  /** Wall-clock time. */
  readonly now: Date
}

/** A column of the tables that `kubectl get` prints. */
export interface Column {
  readonly name: string
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date'
  readonly format?: string
  readonly description: string
  /** 0 is always shown; others only when a wide table is asked for. */
  readonly priority: number
  readonly cell: (object: KubeObject, context: CellContext) => unknown
}

const text = (format: string | undefined): { format?: string } => (format === undefined ? {} : { format })

/** A column of text. */
export const column = (
  name: string,
  cell: Column['cell'],
  { wide = false, format }: { readonly wide?: boolean; readonly format?: string } = {},
): Column => ({
  name,
  type: 'string',
  ...text(format),
  description: `${name} of the object.`,
  priority: wide ? 1 : 0,
  cell,
})

/** How long ago a timestamp was, as `kubectl get` says it. */
export function age(since: unknown, now: Date): string {
  const at = typeof since === 'string' ? Date.parse(since) : Number.NaN
  if (Number.isNaN(at)) return '<unknown>'
  const seconds = Math.floor((now.getTime() - at) / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 10) return seconds % 60 === 0 ? `${minutes}m` : `${minutes}m${seconds % 60}s`
  if (minutes < 180) return `${minutes}m`
  const hours = Math.floor(minutes / 60)
  if (hours < 8) return minutes % 60 === 0 ? `${hours}h` : `${hours}h${minutes % 60}m`
  if (hours < 48) return `${hours}h`
  const days = Math.floor(hours / 24)
  if (days < 8) return hours % 24 === 0 ? `${days}d` : `${days}d${hours % 24}h`
  if (days < 365 * 2) return `${days}d`
  const years = Math.floor(days / 365)
  return years < 8 && days % 365 !== 0 ? `${years}y${days % 365}d` : `${years}y`
}

/** The name of the object. */
export const nameColumn: Column = column('Name', object => object.metadata.name ?? '', { format: 'name' })

/** The time since the object was made. */
export const ageColumn: Column = column('Age', (object, { now }) =>
  age(object.metadata.creationTimestamp, now),
)
