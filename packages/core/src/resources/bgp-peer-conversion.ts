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

const isZero = (value: unknown): boolean => typeof value === 'string' && tryParseDuration(value) === 0

/** JSON with the fields of every object in one order: an API server hands objects over in an order of its own. */
const canonical = (value: unknown): string | undefined =>
  JSON.stringify(value, (_, item: unknown) =>
    isFields(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item,
  )

const isEqual = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b)

/** Selectors as v1beta1 writes them: every expression has a list of values, if an empty one. */
function plainSelectors(selectors: unknown): unknown {
  if (!Array.isArray(selectors)) return selectors
  return selectors.map((selector: unknown) => {
    if (!isFields(selector) || !Array.isArray(selector.matchExpressions)) return selector
    const matchExpressions = selector.matchExpressions.map((expression: unknown) =>
      isFields(expression) ? { ...expression, values: expression.values ?? [] } : expression,
    )
    return { ...selector, matchExpressions }
  })
}

/** What the annotation holds, each field only when v1beta2 would admit its value: anybody may write an annotation. */
function kept(annotation: unknown): Fields {
  if (typeof annotation !== 'string') return {}
  let value: unknown
  try {
    value = JSON.parse(annotation)
  } catch {
    return {}
  }
  if (!isFields(value)) return {}
  const { properties = {} } = structures[`${v1beta2} BGPPeer`]?.spec ?? {}
  const out: Record<string, unknown> = {}
  for (const name of [...added, ...timers, 'nodeSelectors']) {
    if (!Object.hasOwn(value, name)) continue
    const report = new Report('', '')
    const read = readStructure(report, properties[name] as Structure, value[name], name)
    if (!report.failed) out[name] = read
  }
  return out
}

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
  const metadata = isFields(object.metadata) ? object.metadata : {}
  const extra = kept(isFields(metadata.annotations) ? metadata.annotations[keptAnnotation] : undefined)
  const spec: Record<string, unknown> = {}
  for (const name of common) if (from[name] !== undefined) spec[name] = from[name]
  for (const name of ['peerASN', 'peerPort'])
    if (from[name] !== undefined && from[name] !== 0) spec[name] = from[name]
  if (from.peerAddress !== undefined && from.peerAddress !== '') spec.peerAddress = from.peerAddress
  for (const name of timers) {
    if (from[name] !== undefined && !isZero(from[name])) spec[name] = from[name]
    else if (isZero(extra[name])) spec[name] = extra[name]
  }
  if (from.nodeSelectors !== undefined) {
    const same = isEqual(plainSelectors(extra.nodeSelectors), from.nodeSelectors)
    spec.nodeSelectors = same ? extra.nodeSelectors : from.nodeSelectors
  }
  for (const name of added) {
    const overruled =
      (name === 'dynamicASN' && spec.peerASN !== undefined) ||
      (name === 'interface' && spec.peerAddress !== undefined) ||
      (name === 'passwordSecret' && spec.password)
    if (extra[name] !== undefined && !overruled) spec[name] = extra[name]
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
  for (const name of added) if (from[name] !== undefined && from[name] !== false) extra[name] = from[name]
  for (const name of timers) if (isZero(from[name])) extra[name] = from[name]
  if (from.nodeSelectors !== undefined) {
    spec.nodeSelectors = plainSelectors(from.nodeSelectors)
    if (!isEqual(spec.nodeSelectors, from.nodeSelectors)) extra.nodeSelectors = from.nodeSelectors
  }
  const text = Object.keys(extra).length === 0 ? undefined : JSON.stringify(extra)
  return {
    ...annotated(object, text),
    apiVersion: v1beta1,
    ...(object.spec === undefined ? {} : { spec }),
  }
}
