import type { FieldError } from '../api/field-error.ts'
import type { KubeObject } from '../api/object.ts'

/** What was taken for an object before it is stored, such as addresses; exactly one of the two is called. */
export interface Taken {
  /** The object is stored. */
  commit(): void
  /** It is not. */
  revert(): void
}

/** What a kind does beyond what all kinds do. Objects may be changed in place unless they are called old. */
export interface Strategy {
  /** Counts changes of what the user wants in `metadata.generation`. */
  readonly generation: boolean
  /** A PUT to a name that does not exist creates the object. */
  readonly createOnUpdate: boolean
  /** A PUT without a resourceVersion replaces whatever is there. */
  readonly unconditionalUpdate: boolean
  /** A deletion answers with the object instead of a Status. */
  readonly returnsDeleted: boolean
  /** The rule for names. */
  readonly name: (name: string) => string | undefined
  /** Fills in what does not depend on the cluster, on every write. */
  readonly defaults?: (object: KubeObject) => void
  /** Clears what a client may not set. */
  readonly prepareCreate?: (object: KubeObject) => void
  /** The same on an update, and what follows from a change. */
  readonly prepareUpdate?: (object: KubeObject, old: KubeObject) => void
  /** The same on an update of the status. */
  readonly prepareStatus?: (object: KubeObject, old: KubeObject) => void
  /** What breaks a rule; `old` is what the object was. */
  readonly validate?: (object: KubeObject, old: KubeObject | undefined) => readonly FieldError[]
  /** The same after an update of the status. */
  readonly validateStatus?: (object: KubeObject, old: KubeObject) => readonly FieldError[]
  /** Takes what the object needs. @throws Refusal */
  readonly take?: (object: KubeObject, old: KubeObject | undefined, dryRun: boolean) => Taken
  /** Gives back what a deleted object had. */
  readonly release?: (object: KubeObject) => void
  /** How many seconds a deletion leaves the object alone; nothing for none. */
  readonly gracePeriod?: (object: KubeObject, asked: number | undefined) => number
}

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

/** A DNS subdomain (RFC 1123), which most names have to be. */
export const subdomainName = (name: string): string | undefined =>
  name.length > 253
    ? 'must be no more than 253 bytes'
    : subdomain.test(name)
      ? undefined
      : "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"

/** A DNS label (RFC 1123). */
export const labelName = (name: string): string | undefined =>
  name.length > 63
    ? 'must be no more than 63 bytes'
    : /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(name)
      ? undefined
      : "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character"

/** A DNS label of the older kind (RFC 1035), which begins with a letter. */
export const serviceName = (name: string): string | undefined =>
  name.length > 63
    ? 'must be no more than 63 bytes'
    : /^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name)
      ? undefined
      : "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character"

/** Anything that can be one part of a path. */
export const pathName = (name: string): string | undefined => {
  if (name === '.' || name === '..') return `may not be '${name}'`
  return /[/%]/.test(name) ? "may not contain '/' or '%'" : undefined
}

/** What kinds do that need nothing special. */
export const plainStrategy: Strategy = {
  generation: false,
  createOnUpdate: false,
  unconditionalUpdate: true,
  returnsDeleted: false,
  name: subdomainName,
}
