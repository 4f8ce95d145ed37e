import type { BpfInstruction } from '@carillon/core'
import { controlPorts, ECHO_PORT } from '../ports.ts'

// The instructions of classic BPF (linux/bpf_common.h) that this filter needs.
const LOAD_WORD = 0x20
const LOAD_HALF = 0x28
const LOAD_BYTE = 0x30
const JUMP_EQUAL = 0x15
const RETURN = 0x06

/** SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT: not a byte of the packet but whether the kernel took a VLAN tag off it. */
const VLAN_TAG_PRESENT = 0xfffff000 + 48
const UDP = 17

interface Condition {
  readonly load: number
  readonly at: number
  readonly equal: readonly number[]
}

/** Where a frame has what we look for: without IP options or extension headers, as `decodeUdpFrame` wants it. */
const conditions: Readonly<Record<4 | 6, readonly Condition[]>> = {
  4: [
    { load: LOAD_WORD, at: VLAN_TAG_PRESENT, equal: [0] },
    { load: LOAD_BYTE, at: 14, equal: [0x45] },
    { load: LOAD_BYTE, at: 23, equal: [UDP] },
    { load: LOAD_HALF, at: 36, equal: [controlPorts.singleHop, ECHO_PORT] },
  ],
  6: [
    { load: LOAD_WORD, at: VLAN_TAG_PRESENT, equal: [0] },
    { load: LOAD_BYTE, at: 20, equal: [UDP] },
    { load: LOAD_HALF, at: 56, equal: [controlPorts.singleHop, ECHO_PORT] },
  ],
}

/** Lets only the frames of single-hop BFD pass: control packets, which show the peer's MAC address, and echo packets. */
export function bfdFilter(family: 4 | 6): readonly BpfInstruction[] {
  const program: BpfInstruction[] = []
  for (const { load, at, equal } of conditions[family]) {
    program.push({ code: load, jt: 0, jf: 0, k: at })
    // One that fits jumps over the other alternatives and the rejection.
    for (const [i, k] of equal.entries()) program.push({ code: JUMP_EQUAL, jt: equal.length - i, jf: 0, k })
    program.push({ code: RETURN, jt: 0, jf: 0, k: 0 })
  }
  program.push({ code: RETURN, jt: 0, jf: 0, k: 0xffffffff })
  return program
}
