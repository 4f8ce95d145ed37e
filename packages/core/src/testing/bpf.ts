import type { BpfInstruction } from '../network.ts'

/**
 * Runs a classic BPF program over a frame as the kernel does; the number it returns is how many bytes to keep, 0 for none.
 * A load past the end returns 0. Throws TypeError for an instruction outside of what filters use.
 */
export function runBpf(program: readonly BpfInstruction[], frame: Uint8Array): number {
  let a = 0
  let x = 0
  const scratch = new Uint32Array(16)
  const load = (at: number, size: number): number | undefined => {
    if (at + size > frame.length) return undefined
    let value = 0
    for (let i = 0; i < size; i++) value = value * 256 + (frame[at + i] as number)
    return value
  }
  for (let pc = 0; pc < program.length; pc++) {
    const { code, jt, jf, k } = program[pc] as BpfInstruction
    const kind = code & 7
    const size = (code & 0x18) === 0 ? 4 : (code & 0x18) === 8 ? 2 : 1
    const mode = code & 0xe0
    const source = code & 8 ? x : k
    if (kind === 0) {
      let value: number | undefined
      if (mode === 0) value = k
      // Above SKF_AD_OFF are facts about the packet that a frame in memory lacks, such as whether it had a VLAN tag: 0.
      else if (mode === 0x20) value = k >= 0xfffff000 ? 0 : load(k, size)
      else if (mode === 0x40) value = load(x + k, size)
      else if (mode === 0x60) value = scratch[k]
      else if (mode === 0x80) value = frame.length
      if (value === undefined) return 0
      a = value >>> 0
    } else if (kind === 1) {
      if (mode === 0) x = k >>> 0
      else if (mode === 0x60) x = scratch[k] as number
      else if (mode === 0x80) x = frame.length
      else if (mode === 0xa0) {
        const value = load(k, 1)
        if (value === undefined) return 0
        x = (value & 15) * 4
      } else throw new TypeError(`BPF: LDX mode ${mode}`)
    } else if (kind === 2) scratch[k] = a
    else if (kind === 3) scratch[k] = x
    else if (kind === 4) {
      const op = code & 0xf0
      if (op === 0) a = (a + source) >>> 0
      else if (op === 0x10) a = (a - source) >>> 0
      else if (op === 0x20) a = Math.imul(a, source) >>> 0
      else if (op === 0x40) a = (a | source) >>> 0
      else if (op === 0x50) a = (a & source) >>> 0
      else if (op === 0x60) a = (a << source) >>> 0
      else if (op === 0x70) a = a >>> source
      else if (op === 0xa0) a = (a ^ source) >>> 0
      else throw new TypeError(`BPF: ALU operation ${op}`)
    } else if (kind === 5) {
      const op = code & 0xf0
      const right = source >>> 0
      if (op === 0) pc += k
      else if (op === 0x10) pc += a === right ? jt : jf
      else if (op === 0x20) pc += a > right ? jt : jf
      else if (op === 0x30) pc += a >= right ? jt : jf
      else if (op === 0x40) pc += (a & right) >>> 0 !== 0 ? jt : jf
      else throw new TypeError(`BPF: jump ${op}`)
    } else if (kind === 6) return (code & 0x18) === 0x10 ? a : k
    else if (code & 0x80) a = x
    else x = a
  }
  return 0
}
