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

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Index numbers compare as numbers, so that `spec.peers[10]` comes after `spec.peers[9]`. */
const padIndexes = (field: string): string =>
  field.replace(/\[(\d+)\]/g, (_, n: string) => `[${n.padStart(10, '0')}]`)

/** Orders problems by kind, name and field; those of one field keep their order (the sort has to be stable). */
export function compareProblems(a: Problem, b: Problem): number {
  return (
    compareText(a.kind, b.kind) ||
    compareText(a.name, b.name) ||
    (a.field === b.field ? 0 : compareText(padIndexes(a.field), padIndexes(b.field)))
  )
}
