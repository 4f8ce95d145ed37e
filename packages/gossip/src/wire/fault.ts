/**
 * Why bytes from the network were not taken, with what each reason means. The names are stable: they label the counters of
 * dropped packets and closed streams.
 */
export const faults = {
  empty: 'nothing where a message was expected',
  badLabel: 'the label header is cut off or names no label',
  wrongLabel: 'the label is not the one of this cluster',
  unexpectedLabel: 'a label header came although the transport should have taken it off',
  noKeyFits: 'none of the keys opens it',
  plaintextRefused: 'it is not encrypted, and encryption is required',
  encryptedRefused: 'it is encrypted, and there are no keys',
  badEncryption: 'an encryption version, length or padding that does not exist',
  badCrc: 'the checksum does not match',
  badCompression: 'the compressed bytes cannot be expanded',
  unknownType: 'a message type that is not understood in this place',
  truncated: 'it ends before its last field',
  malformed: 'a field has a type or value that it cannot have',
  overflow: 'a number does not fit its field',
  tooDeep: 'messages nested in messages too deeply',
  tooMany: 'more messages in one packet than are taken',
  tooLarge: 'larger, or larger once expanded, than is taken',
} as const

/** One reason why bytes were not taken. */
export type Fault = keyof typeof faults
