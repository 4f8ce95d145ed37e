import { Buffer } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { parse } from 'yaml'
import { isFields } from '../api/object.ts'
import { badRequest, refusedAs, unsupportedMediaType } from '../api/status.ts'
import { protobufType, readObject } from '../protobuf/read-object.ts'

const limit = 3 * 1024 * 1024

/** The bytes of a request. @throws Refusal 413 */
export function readBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= limit) chunks.push(chunk)
    })
    request.on('end', () => {
      if (size <= limit) resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))
      else reject(refusedAs(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limit}`))
    })
    request.on('error', reject)
  })
}

/** The media type of a body, without its parameters. */
export const mediaType = (request: IncomingMessage): string =>
  (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''

const known = ['application/json', 'application/yaml', protobufType]

/** An object in a body. @throws Refusal 400, 415 */
export function parseObject(body: Buffer, type: string): unknown {
  if (type === protobufType) return readObject(body)
  if (type !== '' && !known.includes(type)) throw unsupportedMediaType(type, known)
  return type === 'application/yaml' ? parseYaml(body) : parseJson(body)
}

/** A value without fields of this one name, which would be more than fields here. */
function safe(text: string, value: unknown): unknown {
  if (text.includes('__proto__')) scrub(value)
  return value
}

function scrub(value: unknown): void {
  if (Array.isArray(value)) for (const item of value) scrub(item)
  else if (isFields(value)) {
    Reflect.deleteProperty(value, '__proto__')
    for (const name of Object.keys(value)) scrub(value[name])
  }
}

/** @throws Refusal 400 */
export function parseJson(body: Buffer): unknown {
  const text = body.toString('utf8')
  try {
    return safe(text, JSON.parse(text))
  } catch (error) {
    throw badRequest(`couldn't read the body as JSON: ${(error as Error).message}`)
  }
}

/** @throws Refusal 400 */
export function parseYaml(body: Buffer): unknown {
  const text = body.toString('utf8')
  try {
    return safe(text, parse(text))
  } catch (error) {
    throw badRequest(`couldn't read the body as YAML: ${(error as Error).message}`)
  }
}
