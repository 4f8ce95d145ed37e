import { Buffer } from 'node:buffer'
import { type Fields, fieldsOf, listOf } from '../api/object.ts'
import { badRequest, unsupportedMediaType } from '../api/status.ts'
import { type Layout, layouts, readableKinds } from './layouts.ts'
import { type Part, partsOf } from './parts.ts'

/** What Kubernetes calls its protobuf. */
export const protobufType = 'application/vnd.kubernetes.protobuf'

const magic = Buffer.from([0x6b, 0x38, 0x73, 0x00])

/** An object in Kubernetes' protobuf. @throws Refusal 400, 415 for a kind that is not known in it */
export function readObject(bytes: Buffer): Fields {
  if (!bytes.subarray(0, 4).equals(magic)) throw badRequest('the body is not protobuf of Kubernetes')
  let type: readonly Part[] = []
  let raw: Buffer = Buffer.alloc(0)
  for (const part of partsOf(bytes.subarray(4))) {
    if (part.field === 1) type = partsOf(part.bytes)
    if (part.field === 2) raw = part.bytes
  }
  const textOf = (field: number): string =>
    type.find(part => part.field === field)?.bytes.toString('utf8') ?? ''
  const [apiVersion, kind] = [textOf(1), textOf(2)]
  if (!readableKinds.has(kind))
    throw unsupportedMediaType(`${protobufType} for ${kind}`, ['application/json', 'application/yaml'])
  return { apiVersion, kind, ...read(layouts[kind] as Layout, raw) }
}

function read(layout: Layout, bytes: Buffer): Fields {
  const fields: Fields = {}
  for (const part of partsOf(bytes)) {
    const [name, type] = layout[part.field] ?? []
    if (name === undefined || type === undefined) continue
    if (type.startsWith('[')) {
      fields[name] = [...listOf(fields[name]), value(type.slice(1, -1), part)]
    } else if (type.startsWith('{')) {
      const [key, one] = entry(type.slice(1, -1), part)
      if (key !== '__proto__') fields[name] = { ...fieldsOf(fields[name]), [key]: one }
    } else {
      const one = value(type, part)
      // What says nothing is written all the same.
      if (one !== '' && !(name === 'metadata' && Object.keys(one as Fields).length === 0)) fields[name] = one
    }
  }
  return fields
}

function value(type: string, part: Part): unknown {
  switch (type) {
    case 'text':
      return part.bytes.toString('utf8')
    case 'bytes':
      return part.bytes.toString('base64')
    case 'flag':
      return part.number === 1
    case 'whole':
      return part.number
    default:
      return read(layouts[type] as Layout, part.bytes)
  }
}

/** A map is a list of messages with a key and a value. */
function entry(type: string, { bytes }: Part): readonly [string, unknown] {
  const parts = partsOf(bytes)
  const found = parts.find(part => part.field === 2) ?? { field: 2, bytes: Buffer.alloc(0), number: 0 }
  return [parts.find(part => part.field === 1)?.bytes.toString('utf8') ?? '', value(type, found)]
}
