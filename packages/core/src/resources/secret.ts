import type { NamespacedMeta } from './metadata.ts'

/** A Secret. Never log it, and never put its values into a message. */
export interface Secret {
  readonly apiVersion: 'v1'
  readonly kind: 'Secret'
  readonly metadata: NamespacedMeta
  /** `Opaque` where the object says nothing. */
  readonly type: string
  /** Base64; `stringData` is folded in. */
  readonly data: Readonly<Record<string, string>>
}
