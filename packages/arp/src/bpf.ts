import type { BpfInstruction } from '@carillon/core'

// The instructions of classic BPF (linux/bpf_common.h) that a filter of ours needs.
const LOAD_WORD = 0x20
const LOAD_HALF = 0x28
const LOAD_BYTE = 0x30
const SUBTRACT = 0x14
const JUMP = 0x05
const JUMP_EQUAL = 0x15
const JUMP_GREATER_OR_EQUAL = 0x35
const RETURN = 0x06

/** SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT: not a byte of the packet but whether the kernel took a VLAN tag off it. */
const VLAN_TAG_PRESENT = 0xfffff000 + 48

// A conditional jump reaches 255 instructions; two may be inserted between looking at the distance and jumping.
const REACH = 253

/** What a jump leads to: a verdict, or code written before (and so executed after). */
export type Target = 'accept' | 'reject' | number

/**
 * Writes a BPF program from its end to its start, because jumps only lead forward: each method adds instructions in front
 * and returns where they are, for what is added later to jump to.
 */
export class BpfWriter {
  /** Last instruction first, so that an index stays true while the program grows. */
  readonly #reversed: BpfInstruction[] = []
  /** The nearest instruction that has the effect of a target that is itself too far away. */
  readonly #stepping = new Map<Target, number>()

  get length(): number {
    return this.#reversed.length
  }

  finish(): readonly BpfInstruction[] {
    return this.#reversed.toReversed()
  }

  #add(code: number, k: number, jt = 0, jf = 0): number {
    return this.#reversed.push({ code, jt, jf, k }) - 1
  }

  /** Instructions that the next one would have to skip to arrive at `at`. */
  #skip(at: number): number {
    return this.#reversed.length - 1 - at
  }

  /** An instruction within reach of the next one that is, or leads to, the target. */
  #near(target: Target): number {
    const known = this.#stepping.get(target) ?? (typeof target === 'number' ? target : undefined)
    if (known !== undefined && this.#skip(known) <= REACH) return known
    const added =
      typeof target === 'number'
        ? this.#add(JUMP, this.#skip(target))
        : this.#add(RETURN, target === 'accept' ? 0xffffffff : 0)
    this.#stepping.set(target, added)
    return added
  }

  #branch(code: number, k: number, yes: Target, no: Target): number {
    const onYes = this.#near(yes)
    const onNo = this.#near(no)
    return this.#add(code, k, this.#skip(onYes), this.#skip(onNo))
  }

  /** Only an unconditional jump needs no reach: makes `target` the very next instruction. */
  #then(target: Target): void {
    const at = this.#near(target)
    if (this.#skip(at) > 0) this.#add(JUMP, this.#skip(at))
  }

  equal(k: number, yes: Target, no: Target): number {
    return this.#branch(JUMP_EQUAL, k, yes, no)
  }

  /** Unsigned. */
  atLeast(k: number, yes: Target, no: Target): number {
    return this.#branch(JUMP_GREATER_OR_EQUAL, k, yes, no)
  }

  /** Loads 4, 2 or 1 bytes of the frame, then goes on at `next`. A frame that is too short for it is rejected. */
  load(bytes: 4 | 2 | 1, offset: number, next: Target): number {
    this.#then(next)
    return this.#add(bytes === 4 ? LOAD_WORD : bytes === 2 ? LOAD_HALF : LOAD_BYTE, offset)
  }

  subtract(k: number, next: Target): number {
    this.#then(next)
    return this.#add(SUBTRACT, k)
  }

  /** Rejects frames that came with a VLAN tag: they belong to another segment than the interface's own. */
  untagged(next: Target): number {
    return this.load(4, VLAN_TAG_PRESENT, this.equal(0, next, 'reject'))
  }
}
