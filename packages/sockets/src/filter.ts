import type { BpfInstruction } from '@carillon/core'
import { littleEndian } from './linux.ts'

/** An array of `struct sock_filter`: code (2), jt (1), jf (1), k (4), in the machine's byte order. */
export function encodeProgram(program: readonly BpfInstruction[]): Uint8Array {
  const out = new Uint8Array(program.length * 8)
  const view = new DataView(out.buffer)
  for (const [i, { code, jt, jf, k }] of program.entries()) {
    view.setUint16(8 * i, code, littleEndian)
    view.setUint8(8 * i + 2, jt)
    view.setUint8(8 * i + 3, jf)
    view.setUint32(8 * i + 4, k, littleEndian)
  }
  return out
}

const LD_BYTE = 0x30
const AND = 0x54
const JUMP_EQUAL = 0x15
const JUMP_AT_LEAST = 0x35
const RETURN = 0x06
/** Offsets from here on count from the IP header (SKF_NET_OFF), whatever the socket's own view of the packet. */
const NETWORK_HEADER = 0xfff00000

/** Lets only packets pass whose TTL or hop limit is `minimum` or more (RFC 5082), for the sockets where IP_MINTTL does nothing. */
export function minimumTtlProgram(minimum: number): readonly BpfInstruction[] {
  return [
    { code: LD_BYTE, jt: 0, jf: 0, k: NETWORK_HEADER },
    { code: AND, jt: 0, jf: 0, k: 0xf0 },
    { code: JUMP_EQUAL, jt: 0, jf: 2, k: 0x40 },
    { code: LD_BYTE, jt: 0, jf: 0, k: NETWORK_HEADER + 8 },
    { code: JUMP_AT_LEAST, jt: 2, jf: 3, k: minimum },
    { code: LD_BYTE, jt: 0, jf: 0, k: NETWORK_HEADER + 7 },
    { code: JUMP_AT_LEAST, jt: 0, jf: 1, k: minimum },
    { code: RETURN, jt: 0, jf: 0, k: 0xffffffff },
    { code: RETURN, jt: 0, jf: 0, k: 0 },
  ]
}
