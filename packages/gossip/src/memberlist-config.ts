import { CarillonError, tryParseDuration } from '@carillon/core'
import { profiles, type Settings } from './profile.ts'

/** What a MetalLB cluster's file says of its gossip. */
export interface MemberlistConfig {
  readonly settings: Partial<Settings>
  readonly verifyIncoming: boolean
  readonly verifyOutgoing: boolean
  /** What was missing, or is not known here, one sentence each. */
  readonly warnings: readonly string[]
}

type Name = Exclude<keyof Settings, 'watch' | 'deadNodeReclaimMs' | 'rejoinIntervalMs'>

type Field =
  | { readonly kind: 'duration'; readonly to?: Name; readonly zero: boolean }
  | { readonly kind: 'integer'; readonly to?: Name; readonly min: number; readonly max: number }
  | { readonly kind: 'boolean'; readonly to: Name | 'verifyIncoming' | 'verifyOutgoing' }

const duration = (to?: Name, zero = false): Field => ({ kind: 'duration', ...(to ? { to } : {}), zero })
const integer = (to: Name | undefined, min: number, max: number): Field => ({
  kind: 'integer',
  ...(to ? { to } : {}),
  min,
  max,
})
const boolean = (to: Name | 'verifyIncoming' | 'verifyOutgoing'): Field => ({ kind: 'boolean', to })

/** Without `to`: a knob of memberlist's own machinery, which has no counterpart here. Where 0 is allowed it means never. */
const fields: Readonly<Record<string, Field>> = {
  TCPTimeout: duration('tcpTimeoutMs'),
  IndirectChecks: integer('indirectChecks', 0, 100),
  RetransmitMult: integer('retransmitMult', 1, 100),
  SuspicionMult: integer('suspicionMult', 1, 1000),
  SuspicionMaxTimeoutMult: integer('suspicionMaxTimeoutMult', 1, 1000),
  PushPullInterval: duration('pushPullIntervalMs', true),
  ProbeTimeout: duration('probeTimeoutMs'),
  ProbeInterval: duration('probeIntervalMs'),
  DisableTcpPings: boolean('disableTcpPings'),
  AwarenessMaxMultiplier: integer('awarenessMaxMultiplier', 1, 1000),
  GossipNodes: integer('gossipNodes', 0, 1000),
  GossipInterval: duration('gossipIntervalMs', true),
  GossipToTheDeadTime: duration('gossipToTheDeadMs', true),
  GossipVerifyIncoming: boolean('verifyIncoming'),
  GossipVerifyOutgoing: boolean('verifyOutgoing'),
  EnableCompression: boolean('enableCompression'),
  HandoffQueueDepth: integer('handoffQueueDepth', 0, Number.MAX_SAFE_INTEGER),
  UDPBufferSize: integer('udpBufferSize', 512, 65_507),
  QueueCheckInterval: duration(undefined, true),
}

/**
 * Reads the JSON file in which a MetalLB cluster sets its gossip. Durations are Go's ("500ms") and have to be there, as for MetalLB. A
 * number or a switch that is missing keeps the value of the `lan` profile and is warned of; MetalLB silently takes 0 or false. Names are
 * found in any case, as Go does. Throws `BAD_MEMBERLIST_CONFIG`, which names the field.
 */
export function parseMemberlistConfig(text: string): MemberlistConfig {
  const given = entriesOf(text)
  const values = new Map<string, number | boolean>()
  const warnings: string[] = []
  for (const [name, field] of Object.entries(fields)) {
    const value = given.get(name)
    if (value === undefined) {
      if (field.kind === 'duration') throw bad(name, 'is missing; MetalLB requires it too')
      if (field.to) warnings.push(`${name} is missing: ${shown(field.to)}, as in the lan profile`)
      continue
    }
    const read = readField(name, field, value)
    if (field.to) values.set(field.to, read)
  }
  for (const name of given.keys())
    if (!Object.hasOwn(fields, name)) warnings.push(`${name} is not known and was not used`)
  // What the file cannot decide stays as it is in whichever profile is used.
  const { deadNodeReclaimMs: _, rejoinIntervalMs: __, ...lan } = profiles.lan
  const read = { ...lan, verifyIncoming: true, verifyOutgoing: true, ...Object.fromEntries(values) }
  const { verifyIncoming, verifyOutgoing, ...settings } = read
  if (settings.probeTimeoutMs >= settings.probeIntervalMs)
    warnings.push('ProbeTimeout is not shorter than ProbeInterval: nobody can be asked to help')
  return { settings, verifyIncoming, verifyOutgoing, warnings }
}

const shown = (name: Name | 'verifyIncoming' | 'verifyOutgoing'): string =>
  String(name === 'verifyIncoming' || name === 'verifyOutgoing' ? true : profiles.lan[name])

function entriesOf(text: string): Map<string, unknown> {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    throw new CarillonError(
      'BAD_MEMBERLIST_CONFIG',
      `the memberlist file is no JSON: ${(error as Error).message}`,
    )
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new CarillonError('BAD_MEMBERLIST_CONFIG', 'the memberlist file has to be a JSON object')
  const proper = new Map(Object.keys(fields).map(name => [name.toLowerCase(), name]))
  return new Map(
    Object.entries(parsed).map(([name, value]) => [proper.get(name.toLowerCase()) ?? name, value]),
  )
}

function readField(name: string, field: Field, value: unknown): number | boolean {
  if (field.kind === 'boolean') {
    if (typeof value !== 'boolean') throw bad(name, 'has to be true or false')
    return value
  }
  if (field.kind === 'integer') {
    const { min, max } = field
    if (!Number.isSafeInteger(value)) throw bad(name, 'has to be a whole number')
    if ((value as number) < min || (value as number) > max)
      throw bad(
        name,
        max === Number.MAX_SAFE_INTEGER ? `has to be ${min} or more` : `has to be ${min} to ${max}`,
      )
    return value as number
  }
  const ms = typeof value === 'string' ? tryParseDuration(value) : undefined
  if (ms === undefined) throw bad(name, 'has to be a duration such as "500ms" or "1m30s", in quotes')
  if (ms < 0 || (ms === 0 && !field.zero))
    throw bad(name, field.zero ? 'cannot be negative' : 'has to be more than 0')
  // Longer timers than this overflow in Node and would run at once.
  if (ms > 2 ** 31 - 1) throw bad(name, 'cannot be longer than 24 days')
  return ms
}

const bad = (field: string, what: string): CarillonError =>
  new CarillonError('BAD_MEMBERLIST_CONFIG', `${field} of the memberlist file ${what}`, { field })
