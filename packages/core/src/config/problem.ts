/** Something that is wrong with a resource. An `error` makes the whole configuration invalid; a `warning` does not. */
export interface Problem {
  readonly severity: 'error' | 'warning'
  /** Kind of the object: `IPAddressPool`. */
  readonly kind: string
  readonly name: string
  /** Path of the field: `spec.addresses[0]`; empty for the object as a whole. */
  readonly field: string
  /** What is wrong and what to do, in a sentence. */
  readonly message: string
  /** Present where the object's namespace matters: Services and other core kinds. */
  readonly namespace?: string
}
