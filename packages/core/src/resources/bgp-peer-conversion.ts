import { tryParseDuration } from './duration.ts'
import { readStructure } from './read-structure.ts'
import { Report } from './report.ts'
import type { Structure } from './structure.ts'
import { structures } from './structures.generated.ts'
import { type Fields, isFields } from './value.ts'

export const v1beta1 = 'metallb.io/v1beta1'
export const v1beta2 = 'metallb.io/v1beta2'

/** The annotation in which a v1beta1 object carries what only v1beta2 can say, as JSON. It never holds a password. */
export const keptAnnotation = 'carillon.io/v1beta2-fields'

/** Fields that both versions have and mean alike. */
const common = ['myASN', 'sourceAddress', 'routerID', 'password', 'bfdProfile', 'ebgpMultiHop'] as const

/** Fields of v1beta2 alone. `passwordSecret` is a reference, not a secret. */
const added = [
  'localASN',
  'dynamicASN',
  'interface',
  'connectTime',
  'passwordSecret',
  'enableGracefulRestart',
  'vrf',
  'disableMP',
  'dualStackAddressFamily',
] as const

const timers = ['holdTime', 'keepaliveTime'] as const

/** Fields of v1beta2 that a field of v1beta1 takes the place of, once somebody sets it there. */
const replacedBy: Readonly<Record<string, string>> = {
  dynamicASN: 'peerASN',
  interface: 'peerAddress',
  passwordSecret: 'password',
}

const isZero = (value: unknown): boolean => typeof value === 'string' && tryParseDuration(value) === 0

/** JSON with the fields of every object in one order: an API server hands objects over in an order of its own. */
const canonical = (value: unknown): string | undefined =>
  JSON.stringify(value, (_, item: unknown) =>
    isFields(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item,
  )

const isEqual = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b)

/** Selectors as v1beta1 admits them: every expression has values, also one that needs none. */
function plainSelectors(selectors: unknown): unknown {
  if (!Array.isArray(selectors)) return selectors
  return selectors.map((selector: unknown) => {
    if (!isFields(selector) || !Array.isArray(selector.matchExpressions)) return selector
    const matchExpressions = selector.matchExpressions.map((expression: unknown) =>
      isFields(expression) && !(Array.isArray(expression.values) && expression.values.length > 0)
        ? { ...expression, values: [''] }
        : expression,
    )
    return { ...selector, matchExpressions }
  })
}

/** What our annotation says. */
interface Kept {
  /** Fields of v1beta2, by name. */
  readonly fields: Fields
  /** Those among them that were set together with the v1beta1 field that otherwise takes their place. */
  readonly together: readonly unknown[]
}

/** The shape of a field of v1beta2. */
const shapeOf = (name: string): Structure | undefined =>
  structures[`${v1beta2} BGPPeer`]?.spec?.properties[name]

/** Reads the annotation: a field only when v1beta2 would admit its value, since anybody may write an annotation. */
function readKept(object: Fields): Kept {
  const metadata = isFields(object.metadata) ? object.metadata : {}
  const text = isFields(metadata.annotations) ? metadata.annotations[keptAnnotation] : undefined
  let value: unknown
  try {
    value = typeof text === 'string' ? JSON.parse(text) : undefined
  } catch {
    // Whoever damaged the annotation gets the object without it.
  }
  const fields: Record<string, unknown> = {}
  if (!isFields(value)) return { fields, together: [] }
  for (const name of [...added, ...timers, 'nodeSelectors']) {
    const shape = shapeOf(name)
    if (!shape || !Object.hasOwn(value, name)) continue
    const report = new Report('', '')
    const read = readStructure(report, shape, value[name], name)
    if (!report.failed) fields[name] = read
  }
  return { fields, together: Array.isArray(value.together) ? value.together : [] }
}

/** v1beta1 has no absent AS number, address or timer: it has zeros. */
const isSet = (value: unknown): boolean => value !== undefined && value !== 0 && value !== ''

/** The object with other annotations: ours set to `text`, or absent when there is nothing to keep. */
function annotated(object: Fields, text: string | undefined): Fields {
  const metadata = isFields(object.metadata) ? object.metadata : {}
  const annotations = isFields(metadata.annotations) ? metadata.annotations : {}
  const { [keptAnnotation]: old, ...others } = annotations
  if (old === undefined && text === undefined) return object
  const all = text === undefined ? others : { ...others, [keptAnnotation]: text }
  const { annotations: _, ...rest } = metadata
  return { ...object, metadata: Object.keys(all).length === 0 ? rest : { ...rest, annotations: all } }
}

/**
 * The v1beta2 form of a v1beta1 BGPPeer. A zero timer, port, AS number or address means that it is unset. What the object
 * carries in our annotation comes back, unless the v1beta1 fields say otherwise by now.
 */
export function bgpPeerToV1beta2(object: Fields): Fields {
  const from = isFields(object.spec) ? object.spec : {}
  const { fields: extra, together } = readKept(object)
  const spec: Record<string, unknown> = {}
  for (const name of common) if (from[name] !== undefined) spec[name] = from[name]
  for (const name of ['peerASN', 'peerPort', 'peerAddress']) if (isSet(from[name])) spec[name] = from[name]
  for (const name of timers) {
    if (from[name] !== undefined && !isZero(from[name])) spec[name] = from[name]
    else if (isZero(extra[name])) spec[name] = extra[name]
  }
  if (from.nodeSelectors !== undefined) {
    const same = isEqual(plainSelectors(extra.nodeSelectors), from.nodeSelectors)
    spec.nodeSelectors = same ? extra.nodeSelectors : from.nodeSelectors
  }
  for (const name of added) {
    const other = replacedBy[name]
    const replaced = other !== undefined && isSet(spec[other]) && !together.includes(name)
    if (extra[name] !== undefined && !replaced) spec[name] = extra[name]
  }
  return {
    ...annotated(object, undefined),
    apiVersion: v1beta2,
    ...(object.spec === undefined ? {} : { spec }),
  }
}

/**
 * The v1beta1 form of a v1beta2 BGPPeer. What v1beta1 cannot say goes into our annotation, so that reading, changing and
 * writing the object back through v1beta1 loses nothing.
 */
export function bgpPeerToV1beta1(object: Fields): Fields {
  const from = isFields(object.spec) ? object.spec : {}
  const spec: Record<string, unknown> = {
    peerASN: from.peerASN ?? 0,
    peerAddress: from.peerAddress ?? '',
  }
  const extra: Record<string, unknown> = {}
  for (const name of [...common, ...timers, 'peerPort']) if (from[name] !== undefined) spec[name] = from[name]
  for (const name of added) {
    if (from[name] !== undefined && from[name] !== shapeOf(name)?.default) extra[name] = from[name]
  }
  for (const name of timers) if (isZero(from[name])) extra[name] = from[name]
  if (from.nodeSelectors !== undefined) {
    spec.nodeSelectors = plainSelectors(from.nodeSelectors)
    if (!isEqual(spec.nodeSelectors, from.nodeSelectors)) extra.nodeSelectors = from.nodeSelectors
  }
  const together = Object.keys(replacedBy).filter(
    name => extra[name] !== undefined && isSet(from[replacedBy[name] as string]),
  )
  if (together.length > 0) extra.together = together
  const text = Object.keys(extra).length === 0 ? undefined : JSON.stringify(extra)
  return {
    ...annotated(object, text),
    apiVersion: v1beta1,
    ...(object.spec === undefined ? {} : { spec }),
  }
}
