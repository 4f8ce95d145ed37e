/** UDP ports of single-hop BFD (RFC 5881 section 4). */
export const CONTROL_PORT = 3784
export const ECHO_PORT = 3785
