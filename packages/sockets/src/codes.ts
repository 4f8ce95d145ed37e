/**
 * Codes that sockets raises, with what each one means. What the kernel refuses carries the errno's own name as its code
 * (also as `details.errno`); those that need something of the reader are listed, others may come up as well.
 */
export const codes = {
  SOCKETS_UNAVAILABLE: 'the native part is not there: not Linux, or it was never built',
  FILTER_TOO_LARGE: 'the kernel has no room for a packet filter of this size (net.core.optmem_max)',
  EACCES: 'a capability is missing; the message names it',
  EPERM: 'a capability is missing; the message names it',
  EADDRINUSE: 'another socket has this address and port',
  EADDRNOTAVAIL: 'this address is not one of the host (yet)',
  ENODEV: 'there is no such interface, or it went away',
  EINVAL: 'the kernel does not accept a value',
  ENOPROTOOPT: 'this kernel lacks an option that is needed',
  EMFILE: 'the process has too many open files',
  ENOBUFS: 'the kernel has no memory left for this socket',
  ECONNREFUSED: 'nobody listens there',
  ECONNRESET: 'the other side broke the connection off',
  EHOSTUNREACH: 'the host does not answer',
  ENETUNREACH: 'there is no route to this address',
  ETIMEDOUT: 'nobody answered in time; with TCP-MD5, also when the keys differ',
} as const
