import type { KubeObject } from '../api/object.ts'
import type { Call } from './call.ts'

/** What happens to an object, as admission sees it. */
export type Operation = 'CREATE' | 'UPDATE' | 'DELETE'

/** Those who are asked before anything is stored. */
export interface Admission {
  /** The object as they want it. @throws Refusal */
  mutate(
    call: Call,
    operation: Operation,
    object: KubeObject | undefined,
    old: KubeObject | undefined,
  ): Promise<KubeObject | undefined>
  /** @throws Refusal when one of them refuses it. */
  validate(
    call: Call,
    operation: Operation,
    object: KubeObject | undefined,
    old: KubeObject | undefined,
  ): Promise<void>
}
