import type { ObjectMeta } from './metadata.ts'

/** A Namespace: only its name and labels matter. */
export interface Namespace {
  readonly apiVersion: 'v1'
  readonly kind: 'Namespace'
  readonly metadata: ObjectMeta
}
