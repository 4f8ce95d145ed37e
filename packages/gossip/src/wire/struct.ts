import { Writer } from '@carillon/core'
import { type IntegerForm, writeBytes, writeSigned, writeText, writeUnsigned } from './msgpack.ts'
import { sameAt } from './recall.ts'
import { encodeText } from './text.ts'
import { NO_BYTES, type Unpacker } from './unpacker.ts'

/** `shared`: bytes that are the same time and again, and that nobody writes to: equal ones may be one array. */
type Kind = 'u8' | 'u16' | 'u32' | 'int' | 'bool' | 'text' | 'bytes' | 'shared'

type KindOf<Value> = Value extends string
  ? 'text'
  : Value extends boolean
    ? 'bool'
    : Value extends number
      ? 'u8' | 'u16' | 'u32' | 'int'
      : 'bytes' | 'shared'

type Key<T> = Exclude<keyof T, 'type'> & string

/**
 * One field: its name on the wire (with a small first letter, that of the property), its type, its place when the structure
 * comes as an array, and whether it is left out when it is empty or zero.
 */
export type Row<T> = {
  [K in Key<T>]: readonly [name: Capitalize<K>, kind: KindOf<T[K]>, place: number, omit?: 'omitEmpty']
}[Key<T>]

interface Field {
  readonly property: string
  readonly kind: Kind
  readonly omitEmpty: boolean
  /** The name as its bytes on the wire, without and with the header. */
  readonly name: Uint8Array
  readonly header: Uint8Array
}

const zeros = {
  u8: 0,
  u16: 0,
  u32: 0,
  int: 0,
  bool: false,
  text: '',
  bytes: NO_BYTES,
  shared: NO_BYTES,
} as const

type Values = Record<string, unknown>

/** A structure of the wire: a msgpack map whose fields `rows` lists in wire order (names ascending by byte). */
export class Struct<T extends object> {
  readonly #fields: readonly Field[]
  readonly #declared: readonly Field[]
  readonly #zero: Values
  readonly #omits: boolean

  /** `type`: the constant `type` property of the objects read, if they have one. */
  constructor(type: string | undefined, rows: readonly Row<T>[]) {
    const fields = rows.map(([key, kind, , omit]): Field => {
      const name = encodeText(key)
      const header = new Writer(1 + name.length).u8(0xa0 | name.length).bytes(name)
      const property = key.charAt(0).toLowerCase() + key.slice(1)
      return { property, kind, omitEmpty: omit !== undefined, name, header: header.finish() }
    })
    this.#fields = fields
    this.#declared = rows
      .map((row, i) => [row[2], fields[i] as Field] as const)
      .sort(([a], [b]) => a - b)
      .map(([, field]) => field)
    this.#zero = Object.fromEntries([
      ...(type === undefined ? [] : [['type', type]]),
      ...fields.map(({ property, kind }) => [property, zeros[kind]]),
    ])
    this.#omits = fields.some(field => field.omitEmpty)
  }

  /** Reads it; failures are in `u.fault`. Unknown fields are passed over, missing ones are zero. */
  read(u: Unpacker): T {
    const out: Values = { ...this.#zero }
    const { count, keyed } = u.structure()
    const fields = keyed ? this.#fields : this.#declared
    let next = 0
    for (let i = 0; i < count && u.fault === undefined; i++) {
      if (keyed) next = this.#find(u, next)
      const field = fields[next]
      if (field === undefined) u.skip()
      else {
        out[field.property] = readValue(u, field.kind)
        next++
      }
    }
    return out as T
  }

  /** Reads a name and gives the index of its field, tried first at `next`; -1 for an unknown one. */
  #find(u: Unpacker, next: number): number {
    const length = u.raw()
    const from = u.at
    u.at = from + length
    const fields = this.#fields
    const total = fields.length
    for (let tries = 0, i = next; tries < total; tries++, i++) {
      if (i < 0 || i >= total) i = 0
      const { name } = fields[i] as Field
      if (name.length === length && sameAt(u.bytes, from, name)) return i
    }
    return -1
  }

  /** Writes it byte for byte as memberlist does. Throws `TypeError` for a number that its field cannot hold. */
  write(w: Writer, value: T, form: IntegerForm = 'signed'): void {
    const values = value as Values
    let count = this.#fields.length
    if (this.#omits) for (const field of this.#fields) if (omitted(field, values)) count--
    w.u8(0x80 | count)
    for (const field of this.#fields) {
      if (field.omitEmpty && omitted(field, values)) continue
      w.bytes(field.header)
      writeValue(w, field, values[field.property], form)
    }
  }
}

function omitted(field: Field, values: Values): boolean {
  const value = values[field.property]
  return field.omitEmpty && (value === 0 || value === '' || (value as Uint8Array).length === 0)
}

const limits = { u8: 0xff, u16: 0xffff, u32: 0xffffffff, int: 0x7fffffff } as const

function readValue(u: Unpacker, kind: Kind): unknown {
  switch (kind) {
    case 'bool':
      return u.boolean()
    case 'text':
      return u.text()
    case 'bytes':
      return u.byteString()
    case 'shared':
      return u.sharedBytes()
    case 'int':
      return u.integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
    default:
      return u.integer(0, limits[kind])
  }
}

function writeValue(w: Writer, { kind, property }: Field, value: unknown, form: IntegerForm): void {
  switch (kind) {
    case 'bool':
      w.u8(value === true ? 0xc3 : 0xc2)
      return
    case 'text':
      writeText(w, value as string)
      return
    case 'bytes':
    case 'shared':
      writeBytes(w, value as Uint8Array)
      return
    default: {
      const number = value as number
      if (!(number >= 0 && number <= limits[kind] && Number.isInteger(number)))
        throw new TypeError(`${property} is ${number}; it must be a whole number from 0 to ${limits[kind]}`)
      if (kind === 'int' && form === 'signed') writeSigned(w, number)
      else writeUnsigned(w, number)
    }
  }
}
