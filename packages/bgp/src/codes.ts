/** Codes that this package raises, with what each one means. */
export const codes = {
  BAD_BFD_OPTIONS: 'an option of a BFD session has a value that it cannot have',
  BFD_SOCKET_FAILED: 'the sockets of a BFD session could not be opened, or broke',
  BFD_THREAD_FAILED: 'the thread that runs BFD could not be started, or ended by itself',
} as const
