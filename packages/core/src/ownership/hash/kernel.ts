import { assemble, type Code, i32, op, v128 } from './assembler.ts'
import { initialHash, roundConstants } from './sha256.ts'

/**
 * Where things lie in the kernel's memory. Four messages at a time are hashed, one in each 32-bit lane of a
 * vector. A message is the OR of its own part (`lanes`: 256 bytes a block of four messages, word by word) and
 * a part that all of them share (`shared`: 64 bytes a block). Words are kept as native 32-bit integers.
 */
export const layout = {
  constants: 0,
  initial: 256,
  shared: 512,
  /** Room for 16 blocks of `shared`: more than two names and an address can fill. */
  /** Room for the heads of 640 messages. */
  result: 1536,
  /** Messages of which the own part is needed once. */
  single: 4096,
  /** Messages of which the own part is used again; they may grow to any number. */
  lanes: 4096 + 65_536,
} as const

/** The functions of the kernel. `quads` groups of four messages start every `stride` bytes from `lanes`. */
export interface Kernel {
  /** Writes the first 32 bits of each digest to `layout.result`, four bytes a message. */
  heads(lanes: number, quads: number, stride: number, blocks: number): void
  /**
   * For each of the four lanes, over all quads, writes to `layout.result`: four smallest heads, then in which
   * quad each was seen first, then whether it was seen again (all ones) and the rest of those digests must
   * decide.
   */
  least(lanes: number, quads: number, stride: number, blocks: number): void
}

// Locals of `head`: two parameters and a count, then vectors.
const lanes = 0
const blocks = 1
const shared = 2
const constants = 3
const stateAt = 4
const workAt = stateAt + 8
const wordsAt = workAt + 8
const scratch = wordsAt + 16

const { get, set, tee } = op

function rotateRight(local: number, bits: number): Code {
  return [
    ...[...get(local), ...op.constant(bits), ...op.shiftRight4],
    ...[...get(local), ...op.constant(32 - bits), ...op.shiftLeft4, ...op.or],
  ]
}

/** σ0 and σ1 of FIPS 180-4 section 4.1.2. */
function small(local: number, first: number, second: number, shift: number): Code {
  return [
    ...[...rotateRight(local, first), ...rotateRight(local, second), ...op.xor],
    ...[...get(local), ...op.constant(shift), ...op.shiftRight4, ...op.xor],
  ]
}

/** Σ0 and Σ1. */
function big(local: number, first: number, second: number, third: number): Code {
  return [
    ...[...rotateRight(local, first), ...rotateRight(local, second), ...op.xor],
    ...[...rotateRight(local, third), ...op.xor],
  ]
}

/**
 * One round; `word` leaves the message word on the stack. The roles of a…h move on by one local each round.
 */
function round(index: number, word: Code): Code {
  const at = (role: number): number => workAt + ((role - index + 64) & 7)
  const [a, b, c, d, e, f, g, h] = [0, 1, 2, 3, 4, 5, 6, 7].map(at) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return [
    // t1 = h + Σ1(e) + ch(e, f, g) + k + w
    ...[...word, ...get(constants), ...op.load32Splat(layout.constants + 4 * index), ...op.add4],
    ...[...get(h), ...op.add4],
    ...[...get(f), ...get(g), ...op.xor, ...get(e), ...op.and, ...get(g), ...op.xor, ...op.add4],
    ...[...big(e, 6, 11, 25), ...op.add4, ...tee(scratch)],
    ...[...get(d), ...op.add4, ...set(d)],
    // t1 + Σ0(a) + maj(a, b, c)
    ...[...get(scratch), ...big(a, 2, 13, 22), ...op.add4],
    ...[...get(a), ...get(b), ...op.and, ...get(c), ...get(a), ...get(b), ...op.or, ...op.and, ...op.or],
    ...[...op.add4, ...set(h)],
  ]
}

function sixteen(word: (index: number) => Code): Code {
  return Array.from({ length: 16 }, (_, index) => round(index, word(index))).flat()
}

const eight = [0, 1, 2, 3, 4, 5, 6, 7]

/** (lanes, blocks) -> the first words of four digests. */
const headBody: Code = [
  ...eight.flatMap(i => [...op.constant(0), ...op.load32Splat(layout.initial + 4 * i), ...set(stateAt + i)]),
  ...op.loop([
    ...eight.flatMap(i => [...get(stateAt + i), ...set(workAt + i)]),
    ...[...op.constant(0), ...set(constants)],
    ...sixteen(i => [
      ...[...get(lanes), ...op.load(16 * i)],
      ...[...get(shared), ...op.load32Splat(layout.shared + 4 * i), ...op.or, ...tee(wordsAt + i)],
    ]),
    ...op.loop([
      ...[...get(constants), ...op.constant(64), ...op.add, ...set(constants)],
      ...sixteen(i => {
        const word = (back: number): number => wordsAt + ((i + 16 - back) & 15)
        return [
          ...[...get(word(16)), ...small(word(15), 7, 18, 3), ...op.add4],
          ...[...get(word(7)), ...op.add4, ...small(word(2), 17, 19, 10), ...op.add4, ...tee(word(16))],
        ]
      }),
      ...[...get(constants), ...op.constant(192), ...op.lessUnsigned, ...op.brIf(0)],
    ]),
    ...eight.flatMap(i => [...get(stateAt + i), ...get(workAt + i), ...op.add4, ...set(stateAt + i)]),
    ...[...get(lanes), ...op.constant(256), ...op.add, ...set(lanes)],
    ...[...get(shared), ...op.constant(64), ...op.add, ...set(shared)],
    ...[...get(blocks), ...op.constant(1), ...op.subtract, ...tee(blocks), ...op.brIf(0)],
  ]),
  ...get(stateAt),
]

const headIndex = 0

/**
 * Runs `each` for `quads` (parameter 1) quads, with the four heads on the stack. Local 4 counts, `lanes`
 * moves on.
 */
function forEachQuad(each: Code): Code {
  return op.loop([
    ...[...get(0), ...get(3), ...op.call(headIndex), ...each],
    ...[...get(0), ...get(2), ...op.add, ...set(0)],
    ...[...get(4), ...op.constant(1), ...op.add, ...tee(4), ...get(1), ...op.lessUnsigned, ...op.brIf(0)],
  ])
}

// Locals of `least` after its four parameters and the count.
const head = 5
const smallest = 6
const quad = 7
const again = 8
const isLess = 9

const loopParameters = [i32, i32, i32, i32]

/** The bytes of the module that `Kernel` describes. */
export function kernelModule(): Uint8Array<ArrayBuffer> {
  return assemble([
    {
      parameters: [i32, i32],
      results: [v128],
      locals: [i32, i32, ...new Array<number>(33).fill(v128)],
      body: headBody,
    },
    {
      exported: 'heads',
      parameters: loopParameters,
      results: [],
      locals: [i32, v128],
      body: forEachQuad([
        ...[
          ...set(head),
          ...get(4),
          ...op.constant(4),
          ...op.shiftLeft,
          ...get(head),
          ...op.store(layout.result),
        ],
      ]),
    },
    {
      exported: 'least',
      parameters: loopParameters,
      results: [],
      locals: [i32, v128, v128, v128, v128, v128],
      body: [
        ...[...op.constant(-1), ...op.splat, ...set(smallest)],
        ...forEachQuad([
          ...[...tee(head), ...get(smallest), ...op.lessUnsigned4, ...set(isLess)],
          ...[...get(again), ...get(isLess), ...op.andNot],
          ...[...get(head), ...get(smallest), ...op.equal4, ...op.or, ...set(again)],
          ...[...get(4), ...op.splat, ...get(quad), ...get(isLess), ...op.select, ...set(quad)],
          ...[...get(head), ...get(smallest), ...op.min4, ...set(smallest)],
        ]),
        ...[smallest, quad, again].flatMap((local, i) => [
          ...[...op.constant(0), ...get(local), ...op.store(layout.result + 16 * i)],
        ]),
      ],
    },
  ])
}

/** Fills the parts of the kernel's memory that never change. */
export function initialise(memory: Uint32Array): void {
  memory.set(roundConstants, layout.constants / 4)
  memory.set(initialHash, layout.initial / 4)
}
