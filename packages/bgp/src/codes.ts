/** Codes that this package raises, with what each one means. */
export const codes = {
  BAD_HEADER: 'the bytes do not begin with the header of a BGP message',
  BAD_OPEN: 'an OPEN message is malformed, or says what no speaker can say',
  BAD_UPDATE: 'an UPDATE message, or an attribute in it, is malformed',
  BAD_ROUTE_REFRESH: 'a ROUTE-REFRESH message has the wrong length',
  BAD_ROUTE: 'a route to announce has a prefix or a community that is none',
  MESSAGE_TOO_LARGE: 'a message is larger than the session can carry',
} as const
