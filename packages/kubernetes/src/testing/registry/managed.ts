import type { KubeObject, ObjectMeta } from '../api/object.ts'
import type { Call } from './call.ts'

/** The metadata of an object with what its managers own brought up to date. */
export function managed(
  _call: Call,
  object: KubeObject,
  _old: KubeObject | undefined,
  _time: string,
): ObjectMeta {
  return object.metadata
}
