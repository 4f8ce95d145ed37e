import { type Fields, fieldsOf, isFields, listOf } from '../api/object.ts'
import { Message } from '../protobuf/message.ts'
import type { DocumentV2 } from './document-v2.ts'

// Numbers of fields are those of gnostic's OpenAPIv2.proto.

/** An OpenAPI document of version 2 in gnostic's protobuf notation. */
export function encodeDocument({ swagger, info, paths, definitions }: DocumentV2): Uint8Array {
  const all = new Message()
  for (const [path, item] of Object.entries(paths))
    all.message(2, new Message().text(1, path).message(2, encodePath(item)))
  return new Message()
    .text(1, swagger)
    .message(2, new Message().text(1, info.title).text(2, info.version))
    .message(8, all)
    .message(9, encodeNamed(definitions)).bytes
}

const methods = { get: 2, put: 3, post: 4, delete: 5, patch: 8 } as const

function encodePath(item: Fields): Message {
  const message = new Message()
  for (const [method, field] of Object.entries(methods))
    if (isFields(item[method])) message.message(field, encodeOperation(item[method]))
  return message
}

function encodeOperation(operation: Fields): Message {
  const message = new Message()
  for (const one of listOf(operation.parameters)) {
    const { name, in: where, type } = fieldsOf(one)
    const query = new Message().text(2, where).text(4, name).text(6, type)
    // ParametersItem, Parameter and NonBodyParameter each hold one of several.
    const parameter = new Message().message(2, new Message().message(3, query))
    message.message(8, new Message().message(1, parameter))
  }
  return encodeExtensions(message, 13, operation)
}

function encodeExtensions(message: Message, field: number, of: Fields): Message {
  for (const [name, value] of Object.entries(of))
    if (name.startsWith('x-')) message.message(field, new Message().text(1, name).message(2, any(value)))
  return message
}

/** A value as YAML, of which JSON is a part. */
const any = (value: unknown): Message => new Message().text(2, JSON.stringify(value))

function encodeNamed(schemas: Fields): Message {
  const message = new Message()
  for (const [name, schema] of Object.entries(schemas))
    message.message(1, new Message().text(1, name).message(2, encodeSchema(fieldsOf(schema))))
  return message
}

function encodeSchema(schema: Fields): Message {
  const message = new Message()
    .text(1, schema.$ref)
    .text(2, schema.format)
    .text(4, schema.description)
    .message(5, schema.default === undefined ? undefined : any(schema.default))
    .double(7, schema.maximum)
    .double(9, schema.minimum)
    .whole(11, schema.maxLength)
    .whole(12, schema.minLength)
    .text(13, schema.pattern)
    .whole(14, schema.maxItems)
    .whole(15, schema.minItems)
  for (const name of listOf(schema.required)) message.text(19, name)
  for (const value of listOf(schema.enum)) message.message(20, any(value))
  const { additionalProperties, type, items, properties } = schema
  if (isFields(additionalProperties))
    message.message(21, new Message().message(1, encodeSchema(additionalProperties)))
  if (type !== undefined) message.message(22, new Message().text(1, type))
  if (isFields(items)) message.message(23, new Message().message(1, encodeSchema(items)))
  if (isFields(properties)) message.message(25, encodeNamed(properties))
  return encodeExtensions(message, 31, schema)
}
