import type { NodeReport, SessionReport } from '@carillon/web'

/**
 * What speakers say to each other so that any of them can show all: one asks everybody while somebody looks at its page, and each answers
 * with its report. MetalLB's speakers ignore both.
 */
export type Word =
  | { readonly says: 'ask'; readonly node: string }
  | { readonly says: 'report'; readonly node: string; readonly report: NodeReport }

/** Which words these are; one more where they mean something else. */
const wordVersion = 1

const mostText = 300
const mostSessions = 64
const mostFailures = 16
const mostBytes = 65_536

/** A word as bytes: a JSON object. */
export function encodeWord(word: Word): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ carillon: wordVersion, ...word }))
}

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): value is string => typeof value === 'string' && value.length <= mostText
const isName = (value: unknown): value is string => isText(value) && value !== '' && value.length <= 253
const isNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0
const isDate = (value: unknown): value is string => isText(value) && !Number.isNaN(Date.parse(value))
const isOneOf = <T extends string>(value: unknown, ...words: readonly T[]): value is T =>
  (words as readonly unknown[]).includes(value)
const maybe = (value: unknown, check: (value: unknown) => boolean): boolean =>
  value === undefined || check(value)

function readSession(value: unknown): SessionReport | undefined {
  if (!isFields(value)) return undefined
  const { peer, at, state, since, peerAs, bfd, routes, trouble } = value
  if (!isName(peer) || !isText(at) || !isText(state) || !isDate(since)) return undefined
  if (!Array.isArray(routes) || routes.length !== 4 || !routes.every(isNumber)) return undefined
  if (!maybe(peerAs, isNumber) || !maybe(bfd, isText) || !maybe(trouble, isText)) return undefined
  return {
    peer,
    at,
    state,
    since,
    routes: routes as unknown as SessionReport['routes'],
    ...(peerAs === undefined ? {} : { peerAs: peerAs as number }),
    ...(bfd === undefined ? {} : { bfd: bfd as string }),
    ...(trouble === undefined ? {} : { trouble: trouble as string }),
  }
}

function readReport(value: unknown): NodeReport | undefined {
  if (!isFields(value)) return undefined
  const { version, startedAt, configuration, standing, health, load, cpu, memory, failures, sessions } = value
  if (!isText(version) || !isDate(startedAt)) return undefined
  if (!isOneOf(configuration, 'loading', 'valid', 'stale', 'invalid')) return undefined
  if (!isOneOf(standing, 'confirmed', 'paused', 'isolated')) return undefined
  if (!maybe(health, isNumber) || !isNumber(load) || !isNumber(cpu) || !isNumber(memory)) return undefined
  if (!Array.isArray(failures) || failures.length > mostFailures || !failures.every(isText)) return undefined
  if (!Array.isArray(sessions) || sessions.length > mostSessions) return undefined
  const read = sessions.flatMap(session => readSession(session) ?? [])
  if (read.length !== sessions.length) return undefined
  return {
    version,
    startedAt,
    configuration,
    standing,
    ...(health === undefined ? {} : { health: health as number }),
    load,
    cpu,
    memory,
    failures,
    sessions: read,
  }
}

/** Reads a word; undefined where the bytes hold anything else. Never throws. */
export function decodeWord(bytes: Uint8Array): Word | undefined {
  if (bytes.length > mostBytes) return undefined
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return undefined
  }
  if (!isFields(value) || value.carillon !== wordVersion || !isName(value.node)) return undefined
  const { says, node } = value
  if (says === 'ask') return { says, node }
  const report = says === 'report' ? readReport(value.report) : undefined
  return report && { says: 'report', node, report }
}

const short = (text: string): string => (text.length > mostText ? `${text.slice(0, mostText - 1)}…` : text)

/** A report of which everything is short enough to be read by the others. */
export function fitting(report: NodeReport): NodeReport {
  return {
    ...report,
    failures: report.failures.slice(0, mostFailures).map(short),
    sessions: report.sessions.slice(0, mostSessions).map(session => ({
      ...session,
      at: short(session.at),
      ...(session.trouble === undefined ? {} : { trouble: short(session.trouble) }),
    })),
  }
}
