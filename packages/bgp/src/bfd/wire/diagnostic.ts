/** Why a session last left the state Up (RFC 5880 section 4.1, Diag; 9 is of RFC 6428): code on the wire -> words. */
const words = [
  'no diagnostic',
  'control detection time expired',
  'echo function failed',
  'neighbor signaled session down',
  'forwarding plane reset',
  'path down',
  'concatenated path down',
  'administratively down',
  'reverse concatenated path down',
  'mis-connectivity defect',
] as const

/** The codes that this implementation sends. */
export const diagnostics = {
  none: 0,
  detectionTimeExpired: 1,
  echoFailed: 2,
  neighborDown: 3,
  adminDown: 7,
} as const

/** A diagnostic in the RFC's words; `diagnostic 17` for a code that no RFC gives a meaning. */
export const describeDiagnostic = (code: number): string => words[code] ?? `diagnostic ${code}`
