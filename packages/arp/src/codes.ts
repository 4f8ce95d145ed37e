/** Codes that this package raises, with what each one means. */
export const codes = {
  BAD_ARP: 'the bytes are not an ARP packet for IPv4 over Ethernet',
  BAD_IPV6: 'the bytes are not an IPv6 packet',
  BAD_NDP: 'the bytes are not a valid neighbour solicitation or advertisement',
  BAD_OPTIONS: 'an option of the announcer, or of one advertisement, has a value that it cannot have',
  NOT_ANNOUNCEABLE: 'this kind of address cannot be announced on a local segment by this announcer',
  NO_INTERFACE: 'no interface of this node can carry the address',
  INTERFACE_FAILED: 'the sockets of an interface could not be opened, or broke',
  ADDRESS_CONFLICT: 'another station uses an address that this node announces',
} as const
