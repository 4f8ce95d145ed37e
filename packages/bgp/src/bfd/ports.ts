/** UDP ports of control packets: RFC 5881 section 4, RFC 5883 section 5. */
export const controlPorts = { singleHop: 3784, multihop: 4784 } as const

/** UDP port of echo packets, which go over a single hop (RFC 5881 section 4). */
export const ECHO_PORT = 3785

/** RFC 5881 section 5: who is on the same segment cannot send a lower TTL by way of a router. */
export const FULL_TTL = 255
