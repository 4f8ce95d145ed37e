import { initialise, type Kernel, kernelModule, layout } from './kernel.ts'
import { blockCount, byteLength, pad, place, sha256, sha256Head } from './sha256.ts'

/** What the election hashes: the node, a number sign, the canonical text of the address. */
export function ticket(node: string, address: string): string {
  return `${node}#${address}`
}

/** Byte order of two digests. */
export function compareDigests(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return 0
}

/**
 * The node with the smallest digest for an address: its place in the list of nodes, and the digest's first 32
 * bits.
 */
export interface Smallest {
  readonly index: number
  readonly head: number
}

/** After how many hashes, in calls of some size, the vector kernel is compiled (7 ms and a few megabytes). */
export const worthCompiling = 20_000

/** Below this many hashes a call of the kernel costs more to prepare than it saves. */
const worthPreparing = 256

/** What surely fits the kernel's shared part: three bytes a character, the number sign, the padding. */
const mostCharacters = Math.floor((layout.result - layout.shared - 10) / 3)

const longest = (texts: readonly string[]): number =>
  texts.reduce((most, text) => Math.max(most, text.length), 0)

// The little that is used of WebAssembly, which neither lib.es2023 nor @types/node declares.
interface WasmMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}
interface Wasm {
  readonly Memory: new (size: { initial: number }) => WasmMemory
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown }
  validate(bytes: Uint8Array<ArrayBuffer>): boolean
}

const pageBytes = 65_536

/** Names of one byte length: with them in the lanes, an address lies at the same place of every message. */
interface Lanes {
  readonly at: number
  readonly offset: number
  readonly quads: number
  readonly stride: number
  readonly indexes: readonly number[]
}

/** The names that lie in the lanes. */
interface Laid {
  readonly names: readonly string[]
  readonly longestAddress: number
  readonly groups: readonly Lanes[]
}

/** The vector kernel and its memory. */
class Vectors {
  readonly #memory: WasmMemory
  readonly #kernel: Kernel
  #words: Int32Array
  #unsigned: Uint32Array
  #laid: Laid | undefined

  private constructor(memory: WasmMemory, kernel: Kernel) {
    this.#memory = memory
    this.#kernel = kernel
    this.#words = new Int32Array(memory.buffer)
    this.#unsigned = new Uint32Array(memory.buffer)
    initialise(this.#unsigned)
  }

  /** Undefined where the engine has no vectors, or keeps words in another byte order than WebAssembly. */
  static load(): Vectors | undefined {
    const wasm = (globalThis as { readonly WebAssembly?: Wasm }).WebAssembly
    const littleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1
    const bytes = kernelModule()
    if (!wasm || !littleEndian || !wasm.validate(bytes)) return undefined
    try {
      const memory = new wasm.Memory({ initial: Math.ceil(layout.lanes / pageBytes) })
      const instance = new wasm.Instance(new wasm.Module(bytes), { env: { memory } })
      return new Vectors(memory, instance.exports as Kernel)
    } catch {
      // A memory reserves gigabytes of address space, which a limit on it (ulimit -v) does not grant.
      return undefined
    }
  }

  /**
   * Sets the shared part to `text` from byte `offset` on, and pads it if it ends the message. Gives the
   * number of blocks.
   */
  #share(text: string, offset: number, ends: boolean): number {
    const at = layout.shared / 4
    const length = offset + byteLength(text)
    this.#words.fill(0, at, layout.result / 4)
    place(this.#words, text, offset, at)
    if (ends) pad(this.#words, length, at)
    return blockCount(length)
  }

  /** Lays the names into the lanes, unless they are there already from the call before. */
  #lay(names: readonly string[], longestAddress: number): readonly Lanes[] {
    if (names === this.#laid?.names && longestAddress <= this.#laid.longestAddress) return this.#laid.groups
    const byLength = new Map<number, number[]>()
    for (let index = 0; index < names.length; index++) {
      const length = byteLength(names[index] as string) + 1
      const group = byLength.get(length)
      if (group) group.push(index)
      else byLength.set(length, [index])
    }
    let end: number = layout.lanes
    const groups = [...byLength].map(([offset, indexes]): Lanes => {
      const stride = 256 * blockCount(offset + longestAddress)
      const quads = Math.ceil(indexes.length / 4)
      const at = end
      end += stride * quads
      return { at, offset, quads, stride, indexes }
    })
    this.#laid = undefined
    this.#reserve(end)
    this.#words.fill(0, layout.lanes / 4, end / 4)
    for (const { at, quads, stride, indexes } of groups) {
      for (let i = 0; i < 4 * quads; i++) {
        // Lanes left over repeat the last name: it can only ever tie with itself.
        const name = names[indexes[Math.min(i, indexes.length - 1)] as number] as string
        place(this.#words, `${name}#`, 0, (at + (i >>> 2) * stride) / 4 + (i & 3), 4)
      }
    }
    this.#laid = { names, longestAddress, groups }
    return groups
  }

  #reserve(end: number): void {
    const missing = end - this.#memory.buffer.byteLength
    if (missing <= 0) return
    this.#memory.grow(Math.ceil(missing / pageBytes))
    this.#words = new Int32Array(this.#memory.buffer)
    this.#unsigned = new Uint32Array(this.#memory.buffer)
  }

  least(names: readonly string[], addresses: readonly string[]): Smallest[] {
    const groups = this.#lay(names, 3 * longest(addresses))
    const result = this.#unsigned.subarray(layout.result / 4, layout.single / 4)
    return addresses.map(address => {
      let index = -1
      let head = 0
      let tied = false
      for (const { at, offset, quads, stride, indexes } of groups) {
        this.#kernel.least(at, quads, stride, this.#share(address, offset, true))
        for (let lane = 0; lane < 4; lane++) {
          const value = result[lane] as number
          if (index >= 0 && value > head) continue
          const found = indexes[4 * (result[4 + lane] as number) + lane]
          if (found === undefined) continue
          tied = result[8 + lane] !== 0 || (index >= 0 && value === head)
          index = found
          head = value
        }
      }
      return tied ? leastOf(names, address) : { index, head }
    })
  }

  heads(name: string, addresses: readonly string[]): Uint32Array {
    const heads = new Uint32Array(addresses.length)
    const prefix = `${name}#`
    const offset = byteLength(prefix)
    this.#share(prefix, 0, false)
    const byBlocks = new Map<number, number[]>()
    for (let index = 0; index < addresses.length; index++) {
      const blocks = blockCount(offset + byteLength(addresses[index] as string))
      const group = byBlocks.get(blocks)
      if (group) group.push(index)
      else byBlocks.set(blocks, [index])
    }
    for (const [blocks, indexes] of byBlocks) {
      const stride = 256 * blocks
      const most = Math.min(512, 4 * Math.floor((layout.lanes - layout.single) / stride))
      for (let from = 0; from < indexes.length; from += most) {
        const count = Math.min(most, indexes.length - from)
        this.#words.fill(0, layout.single / 4, (layout.single + stride * Math.ceil(count / 4)) / 4)
        for (let i = 0; i < count; i++) {
          const text = addresses[indexes[from + i] as number] as string
          const base = (layout.single + (i >>> 2) * stride) / 4 + (i & 3)
          place(this.#words, text, offset, base, 4)
          pad(this.#words, offset + byteLength(text), base, 4)
        }
        this.#kernel.heads(layout.single, Math.ceil(count / 4), stride, blocks)
        for (let i = 0; i < count; i++) {
          heads[indexes[from + i] as number] = this.#unsigned[layout.result / 4 + i] as number
        }
      }
    }
    return heads
  }
}

/** The same without vectors, and to the last bit: where two heads agree, the whole digests decide. */
function leastOf(names: readonly string[], address: string): Smallest {
  let index = -1
  let head = 0
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string
    const value = sha256Head(ticket(name, address))
    if (index < 0 || value < head) {
      index = i
      head = value
    } else if (value === head) {
      const other = ticket(names[index] as string, address)
      if (compareDigests(sha256(ticket(name, address)), sha256(other)) < 0) index = i
    }
  }
  return { index, head }
}

/**
 * Hashes many (node, address) pairs: four at a time in WebAssembly when there is enough of it to do, else in
 * plain script.
 */
export class Hasher {
  readonly #worthCompiling: number
  /** Hashes asked for so far in calls that are worth preparing. */
  #hashes = 0
  #vectors: Vectors | undefined
  #tried = false

  /** @param threshold hashes after which the kernel is compiled; 0: at once, `Infinity`: never */
  constructor(threshold: number = worthCompiling) {
    this.#worthCompiling = threshold
  }

  #engine(names: readonly string[], addresses: readonly string[]): Vectors | undefined {
    const hashes = names.length * addresses.length
    if (hashes < Math.min(worthPreparing, this.#worthCompiling)) return undefined
    this.#hashes += hashes
    if (!this.#tried && this.#hashes >= this.#worthCompiling) {
      this.#tried = true
      this.#vectors = Vectors.load()
    }
    return longest(names) + longest(addresses) <= mostCharacters ? this.#vectors : undefined
  }

  /** For each address the name whose digest is smallest. There must be at least one name. */
  least(names: readonly string[], addresses: readonly string[]): readonly Smallest[] {
    if (names.length === 0) throw new TypeError('an election needs at least one name')
    if (addresses.length === 0) return []
    const vectors = this.#engine(names, addresses)
    return vectors ? vectors.least(names, addresses) : addresses.map(address => leastOf(names, address))
  }

  /** The first 32 bits of the digests of one name with each address. */
  heads(name: string, addresses: readonly string[]): Uint32Array {
    if (addresses.length === 0) return new Uint32Array(0)
    const vectors = this.#engine([name], addresses)
    return vectors
      ? vectors.heads(name, addresses)
      : Uint32Array.from(addresses, address => sha256Head(ticket(name, address)))
  }
}
