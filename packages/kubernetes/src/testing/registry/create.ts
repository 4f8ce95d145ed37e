import { apiVersionOf, type KubeObject } from '../api/object.ts'
import { alreadyExists, badRequest, invalid, notFound, refusedAs, terminating } from '../api/status.ts'
import { kindOf, resourceOf } from '../kinds/api-type.ts'
import { validateMetadata } from '../metadata/validate-metadata.ts'
import { checkRules } from '../schema/cel.ts'
import { timestamp } from '../schema/decode.ts'
import { validate } from '../schema/validate.ts'
import type { Call } from './call.ts'
import { decode } from './decode.ts'
import { collectionOf, forStorage, inVersion, type Machinery } from './machinery.ts'
import { managed } from './managed.ts'

const suffixLetters = 'bcdfghjklmnpqrstvwxz2456789'

/** Stores a new object, as POST does. @throws Refusal */
export async function create(machinery: Machinery, call: Call, body: unknown): Promise<KubeObject> {
  const { type, namespace } = call
  let object = decode(call, body)
  placeIn(object, namespace, call.name)
  if (type.answer !== undefined) return type.answer(object, call.user)
  requireNamespace(machinery, call, object.metadata.name ?? '')
  if (object.metadata.resourceVersion !== undefined)
    throw refusedAs(500, '', 'resourceVersion should not be set on objects to be created')
  const mutated = await machinery.admission.mutate(call, 'CREATE', object, undefined)
  if (mutated !== undefined && mutated !== object) object = decode(call, mutated)
  fillIn(machinery, call, object)
  object.metadata = managed(call, object, undefined, timestamp(machinery.clock.date()))
  const taken = type.strategy.take?.(object, undefined, call.dryRun)
  try {
    type.strategy.prepareCreate?.(object)
    check(call, object)
    await machinery.admission.validate(call, 'CREATE', object, undefined)
    const toStore = await forStorage(machinery, type, object)
    const collection = collectionOf(machinery, type)
    const { name = '' } = object.metadata
    if (collection.get(namespace, name) !== undefined) throw alreadyExists(resourceOf(type), name)
    requireNamespace(machinery, call, name)
    if (call.dryRun) {
      taken?.revert()
      return object
    }
    taken?.commit()
    const [result] = await inVersion(machinery, type, [collection.put(toStore)])
    return result as KubeObject
  } catch (error) {
    taken?.revert()
    throw error
  }
}

/** Refuses an object that does not say its name, or another place than the request goes to. @throws Refusal 400 */
export function checkPlace({ metadata }: KubeObject, namespace: string | undefined, name: string): void {
  if (metadata.name === undefined || metadata.name === '')
    throw badRequest(
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
    )
  if (metadata.name !== name)
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`)
  if (namespace !== undefined && metadata.namespace !== undefined && metadata.namespace !== namespace)
    throw badRequest(
      `the namespace of the object (${metadata.namespace}) does not match the namespace on the request (${namespace})`,
    )
}

/** Holds an object to where the request goes. @throws Refusal 400 */
export function placeIn(object: KubeObject, namespace: string | undefined, name: string): void {
  const { metadata } = object
  if (namespace !== undefined && metadata.namespace !== undefined && metadata.namespace !== namespace)
    throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`)
  if (namespace === undefined) delete metadata.namespace
  else metadata.namespace = namespace
  if (name === '') return
  if (metadata.name !== undefined && metadata.name !== name)
    throw badRequest(`the name of the object (${metadata.name}) does not match the name on the URL (${name})`)
  metadata.name = name
}

/** Nothing can be made in a namespace that is not there, or will soon not be. @throws Refusal */
function requireNamespace({ store }: Machinery, { type, namespace }: Call, name: string): void {
  if (namespace === undefined) return
  const found = store.collection('namespaces').get(undefined, namespace)
  if (found === undefined) throw notFound({ group: '', name: 'namespaces' }, namespace)
  if (found.object.metadata.deletionTimestamp !== undefined)
    throw terminating(resourceOf(type), name, namespace)
}

/** What every new object gets. */
function fillIn(machinery: Machinery, { type, namespace }: Call, object: KubeObject): void {
  const { metadata } = object
  const { generateName } = metadata
  if (metadata.name === undefined && generateName !== undefined) {
    const collection = collectionOf(machinery, type)
    do metadata.name = `${generateName.slice(0, 58)}${suffix(machinery)}`
    while (collection.get(namespace, metadata.name) !== undefined)
  }
  metadata.uid = machinery.uid()
  metadata.creationTimestamp = timestamp(machinery.clock.date())
  delete metadata.deletionTimestamp
  delete metadata.deletionGracePeriodSeconds
  delete metadata.selfLink
  if (type.strategy.generation) metadata.generation = 1
  else delete metadata.generation
  object.apiVersion = apiVersionOf(type.group, type.version)
  object.kind = type.kind
}

function suffix({ random }: Machinery): string {
  let text = ''
  for (let i = 0; i < 5; i++) text += suffixLetters[Math.floor(random() * suffixLetters.length)]
  return text
}

function check({ type }: Call, object: KubeObject): void {
  const errors = [
    ...validateMetadata(type, object.metadata),
    ...(type.custom === undefined ? [] : validate(type.schema, object)),
    ...(type.strategy.validate?.(object, undefined) ?? []),
  ]
  if (errors.length === 0 && type.custom !== undefined)
    errors.push(...checkRules(type.schema, object, undefined))
  if (errors.length > 0) throw invalid(kindOf(type), object.metadata.name ?? '', errors)
}
