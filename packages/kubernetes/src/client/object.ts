/** `metadata` of an object, as far as Carillon reads or writes it. */
export interface KubeMeta {
  readonly name?: string
  readonly generateName?: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string | null>>
  readonly ownerReferences?: readonly OwnerReference[]
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
}

/** Whose going takes an object along. */
export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
}

/** An object as the API server takes and gives it. What it holds beside these fields is up to its kind. */
export interface KubeObject {
  readonly apiVersion?: string
  readonly kind?: string
  readonly metadata: KubeMeta
  readonly [field: string]: unknown
}

/** Whether a value can be an object of Kubernetes. */
export function isKubeObject(value: unknown): value is KubeObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const { metadata } = value as { readonly metadata?: unknown }
  return typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata)
}

/** Part of a list. */
export interface Page {
  readonly items: readonly unknown[]
  readonly resourceVersion: string
  /** Where the next part begins; absent on the last. */
  readonly continue?: string
}

/** A change that a watch tells of. Of a bookmark only the resource version means something. */
export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK'
  readonly object: unknown
  readonly resourceVersion: string
}
