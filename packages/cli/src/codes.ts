/** Codes that the program raises, with what each one means. */
export const codes = {
  USAGE: 'a flag or an argument is wrong',
  NO_SPEAKER: 'no speaker answers at that address',
  BAD_ANSWER: 'what answers at that address is not a speaker',
  NOT_FOUND: 'the speaker knows no such Service or address',
  PORT_IN_USE: 'another program has the address and port already',
  BAD_MANIFESTS: 'the manifests are invalid, and what was asked for cannot be told from them',
  KUBECTL_FAILED: 'kubectl did not do what it was asked; the message is what it says',
  LAB_UNAVAILABLE: 'this host cannot build a lab of network namespaces',
} as const
