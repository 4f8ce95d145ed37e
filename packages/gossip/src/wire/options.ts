/** AES keys of 16, 24 or 32 bytes: the first encrypts, every one is tried to decrypt. None: no encryption. */
export interface SecretKeys {
  readonly keys: readonly Uint8Array[]
}

/** How this node speaks to its cluster, the same for packets and streams. */
export interface WireOptions {
  /**
   * Separates clusters that share a network (see `encodeLabel`). Empty: none.
   *
   * @default empty
   */
  readonly label?: Uint8Array
  /** @default none */
  readonly keys?: SecretKeys
  /**
   * With keys: refuse what is not encrypted. False while a running cluster moves to encryption.
   *
   * @default true
   */
  readonly verifyIncoming?: boolean
  /**
   * With keys: encrypt what we send. False while a running cluster moves to encryption.
   *
   * @default true
   */
  readonly verifyOutgoing?: boolean
  /**
   * The transport takes labels off: what arrives bears none and counts as being of our label.
   *
   * @default false
   */
  readonly skipInboundLabelCheck?: boolean
  /**
   * Compress what we send: packets where that makes them smaller, streams always.
   *
   * @default true
   */
  readonly compress?: boolean
  /**
   * 0 (padded) only where this node speaks protocol version 1.
   *
   * @default 1
   */
  readonly encryptionVersion?: 0 | 1
  /**
   * Gives 12 bytes that it never gave before, for AES-GCM.
   *
   * @default random bytes
   */
  readonly nonce?: () => Uint8Array
}

/** The key that encrypts what we send; undefined when it goes out in the clear. */
export function outgoingKey({ keys, verifyOutgoing = true }: WireOptions): Uint8Array | undefined {
  return verifyOutgoing ? keys?.keys[0] : undefined
}
