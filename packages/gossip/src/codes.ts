/** Codes that this package raises, with what each one means. */
export const codes = {
  BAD_KEY: 'an encryption key is not 16, 24 or 32 bytes long, or not one of the keyring',
  BAD_LABEL: 'a gossip label is longer than 255 bytes',
  BAD_MEMBERLIST_CONFIG: "the file with a MetalLB cluster's gossip settings is not valid",
  KEY_FILE_UNREADABLE: 'the file with the encryption keys cannot be read',
  MESSAGE_TOO_LARGE: 'a message, or a packet of messages, is larger than the protocol can carry',
} as const
