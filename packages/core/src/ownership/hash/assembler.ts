/** WebAssembly code, byte by byte. */
export type Code = readonly number[]

/** Unsigned LEB128 (WebAssembly core specification section 5.2.2). */
export function unsigned(value: number): Code {
  const out: number[] = []
  let rest = value
  do {
    const bits = rest & 0x7f
    rest >>>= 7
    out.push(rest === 0 ? bits : bits | 0x80)
  } while (rest !== 0)
  return out
}

/** Signed LEB128, for the operand of `i32.const`. */
export function signed(value: number): Code {
  const out: number[] = []
  let rest = value
  for (;;) {
    const bits = rest & 0x7f
    rest >>= 7
    const last = (rest === 0 && (bits & 0x40) === 0) || (rest === -1 && (bits & 0x40) !== 0)
    out.push(last ? bits : bits | 0x80)
    if (last) return out
  }
}

/** A vector: its length, then its elements (section 5.1.3). */
function vector(items: readonly Code[]): Code {
  return [...unsigned(items.length), ...items.flat()]
}

function section(id: number, content: Code): Code {
  return [id, ...unsigned(content.length), ...content]
}

function text(value: string): Code {
  return vector(Array.from(value, character => [character.charCodeAt(0)]))
}

export const i32 = 0x7f
export const v128 = 0x7b

/** A function of a module: parameter, result and local types, and its body without the final `end`. */
export interface WasmFunction {
  /** Absent: not exported. */
  readonly exported?: string
  readonly parameters: readonly number[]
  readonly results: readonly number[]
  readonly locals: readonly number[]
  readonly body: Code
}

/** A module of `functions` (called by their place in the list) that imports its memory as `env.memory`. */
export function assemble(functions: readonly WasmFunction[]): Uint8Array<ArrayBuffer> {
  const types = functions.map(({ parameters, results }) => [
    0x60,
    ...vector(parameters.map(type => [type])),
    ...vector(results.map(type => [type])),
  ])
  const memoryImport = [...text('env'), ...text('memory'), 0x02, 0x00, ...unsigned(1)]
  const exports = functions.flatMap(({ exported }, index) =>
    exported === undefined ? [] : [[...text(exported), 0x00, ...unsigned(index)]],
  )
  const bodies = functions.map(({ locals, body }) => {
    const content = [...vector(locals.map(type => [1, type])), ...body, 0x0b]
    return [...unsigned(content.length), ...content]
  })
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector(types)),
    ...section(2, vector([memoryImport])),
    ...section(3, vector(functions.map((_, index) => unsigned(index)))),
    ...section(7, vector(exports)),
    ...section(10, vector(bodies)),
  ])
}

/** The instructions that the kernel uses (section 5.4), by their names in the text format. */
export const op = {
  loop: (body: Code): Code => [0x03, 0x40, ...body, 0x0b],
  brIf: (depth: number): Code => [0x0d, ...unsigned(depth)],
  call: (index: number): Code => [0x10, ...unsigned(index)],
  get: (local: number): Code => [0x20, ...unsigned(local)],
  set: (local: number): Code => [0x21, ...unsigned(local)],
  tee: (local: number): Code => [0x22, ...unsigned(local)],
  constant: (value: number): Code => [0x41, ...signed(value)],
  add: [0x6a],
  subtract: [0x6b],
  lessUnsigned: [0x49],
  load: (offset: number): Code => [0xfd, 0x00, 0x04, ...unsigned(offset)],
  load32Splat: (offset: number): Code => [0xfd, 0x09, 0x02, ...unsigned(offset)],
  store: (offset: number): Code => [0xfd, 0x0b, 0x04, ...unsigned(offset)],
  splat: [0xfd, 0x11],
  equal4: [0xfd, 0x37],
  lessUnsigned4: [0xfd, 0x3a],
  and: [0xfd, 0x4e],
  andNot: [0xfd, 0x4f],
  or: [0xfd, 0x50],
  xor: [0xfd, 0x51],
  select: [0xfd, 0x52],
  shiftLeft: [0x74],
  shiftLeft4: [0xfd, 0xab, 0x01],
  shiftRight4: [0xfd, 0xad, 0x01],
  add4: [0xfd, 0xae, 0x01],
  min4: [0xfd, 0xb7, 0x01],
} as const
