/** What Carillon keeps of an object's `metadata`. Absent maps are empty ones. */
export interface ObjectMeta {
  readonly name: string
  readonly namespace?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  /** RFC 3339 */
  readonly creationTimestamp?: string
}

/** Metadata of an object that lives in a namespace; an absent one is `default`. */
export interface NamespacedMeta extends ObjectMeta {
  readonly namespace: string
}
