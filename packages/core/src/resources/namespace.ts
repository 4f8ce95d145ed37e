import { type ObjectMeta, readMetadata } from './metadata.ts'
import type { Report } from './report.ts'
import type { Fields } from './value.ts'

/** A Namespace: only its name and labels matter. */
export interface Namespace {
  readonly apiVersion: 'v1'
  readonly kind: 'Namespace'
  readonly metadata: ObjectMeta
}

/** Reads a Namespace. */
export function readNamespace(report: Report, object: Fields): Namespace {
  return { apiVersion: 'v1', kind: 'Namespace', metadata: readMetadata(report, object) }
}
