/** Codes that this package raises, with what each one means. */
export const codes = {
  BAD_HEADER: 'the bytes do not begin with the header of a BGP message',
  BAD_OPEN: 'an OPEN message is malformed, or says what no speaker can say',
  BAD_UPDATE: 'an UPDATE message, or an attribute in it, is malformed',
  BAD_ROUTE_REFRESH: 'a ROUTE-REFRESH message has the wrong length',
  BAD_ROUTE: 'a route to announce has a prefix or a community that is none',
  MESSAGE_TOO_LARGE: 'a message is larger than the session can carry',
  BAD_BFD_OPTIONS: 'an option of a BFD session has a value that it cannot have',
  BFD_SOCKET_FAILED: 'the sockets of a BFD session could not be opened, or broke',
  BFD_THREAD_FAILED: 'the thread that runs BFD could not be started, or ended by itself',
} as const
