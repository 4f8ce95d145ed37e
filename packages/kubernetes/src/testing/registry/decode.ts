import { apiVersionOf, type Fields, isFields, type KubeObject } from '../api/object.ts'
import { badRequest } from '../api/status.ts'
import type { ApiType } from '../kinds/api-type.ts'
import { modelSchema } from '../schema/builtin.ts'
import { Decoder } from '../schema/decode.ts'
import { applyDefaults } from '../schema/defaults.ts'
import { prune } from '../schema/prune.ts'
import type { Call } from './call.ts'

const metadataSchema = modelSchema('V1ObjectMeta')

const cannot = (type: ApiType, why: string) =>
  badRequest(`${type.kind} in version "${type.version}" cannot be handled as a ${type.kind}: ${why}`)

/**
 * What a client sent, as an object of the type that it was sent to: unknown fields gone, defaults in place. The value is changed
 * in place. @throws Refusal 400
 */
export function decode(call: Call, value: unknown): KubeObject {
  const object = decodeApplied(call, value)
  const { type } = call
  if (type.custom !== undefined) applyDefaults(type.schema, object)
  type.strategy.defaults?.(object)
  return object
}

/** The same without the defaults: only what the client said. @throws Refusal 400 */
export function decodeApplied(call: Call, value: unknown): KubeObject {
  const { type } = call
  if (!isFields(value)) throw badRequest('the body of the request is not an object')
  checkKind(type, value)
  report(call, type.custom === undefined ? decodeBuiltin(type, value) : decodeCustom(type, value))
  return value as unknown as KubeObject
}

function checkKind(type: ApiType, value: Fields): void {
  const expected = apiVersionOf(type.group, type.version)
  if (type.custom === undefined) {
    value.apiVersion ??= expected
    value.kind ??= type.kind
  }
  if (typeof value.kind !== 'string' || value.kind === '')
    throw badRequest(`Object 'Kind' is missing in '${JSON.stringify(value).slice(0, 200)}'`)
  if (value.apiVersion !== expected)
    throw badRequest(
      `the API version in the data (${String(value.apiVersion ?? '')}) does not match the expected API version (${expected})`,
    )
  if (value.kind !== type.kind)
    throw badRequest(`the kind in the data (${value.kind}) does not match the expected kind (${type.kind})`)
}

function decodeBuiltin(type: ApiType, value: Fields): readonly string[] {
  const decoder = new Decoder()
  decoder.decode(type.schema, value)
  const [problem] = decoder.problems
  if (problem !== undefined)
    throw cannot(type, `${problem.path}: cannot read ${problem.found} as ${problem.expected}`)
  value.metadata ??= {}
  return decoder.unknown
}

function decodeCustom(type: ApiType, value: Fields): readonly string[] {
  const decoder = new Decoder()
  value.metadata = decoder.decode(metadataSchema, value.metadata ?? {}, 'metadata') ?? {}
  const [problem] = decoder.problems
  if (problem !== undefined)
    throw cannot(type, `${problem.path}: cannot read ${problem.found} as ${problem.expected}`)
  const dropped = prune(type.schema, value)
  return [...decoder.unknown, ...dropped]
}

function report({ type, validation, warnings }: Call, unknown: readonly string[]): void {
  if (unknown.length === 0 || validation === 'Ignore') return
  const texts = unknown.map(path => `unknown field "${path}"`)
  if (validation === 'Strict') throw cannot(type, `strict decoding error: ${texts.join(', ')}`)
  warnings.push(...texts)
}
