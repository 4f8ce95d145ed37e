/** Facts about a failure, for machines: which object, which field, which errno. Never holds a secret. */
export type ErrorDetails = Readonly<Record<string, string | number | boolean | undefined>>

/**
 * The one error class of Carillon. `code` is stable and listed in docs/errors.md; `message` says what is wrong, where,
 * and what to do about it.
 */
export class CarillonError extends Error {
  override readonly name = 'CarillonError'
  readonly code: string
  readonly details: ErrorDetails

  constructor(code: string, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.details = details
  }
}

/** Codes that core raises, with what each one means. */
export const codes = {
  SHORT_READ: 'the packet ended before its last field',
  BAD_LENGTH: 'a length field does not fit the bytes it counts',
  BAD_ADDRESS: 'the text is not an IP address',
  BAD_RANGE: 'the text is neither a CIDR nor an address range',
  BAD_MANIFEST: 'the manifest is not valid YAML or JSON',
  SOURCE_UNREADABLE: 'the manifests cannot be read',
  NETWORK_UNSUPPORTED: 'this network cannot do what was asked of it',
} as const satisfies Readonly<Record<string, string>>
