import { meaningOf, type Problem, type SpeakerEvent } from '@carillon/core'
import type { Attention, NodeRow, PoolRow, SessionRow } from '@carillon/web'
import { few } from '../announced.ts'
import type { Unserved } from './row-book.ts'

/** What cannot be read, and since when. */
export interface SourceTrouble {
  readonly since: string
  readonly message: string
}

/** What is looked at for trouble. */
export interface AttentionParts {
  readonly now: Date
  readonly problems: readonly Problem[]
  readonly source: SourceTrouble | undefined
  readonly unserved: readonly Unserved[]
  readonly nodes: readonly NodeRow[]
  readonly sessions: readonly SessionRow[]
  readonly pools: readonly PoolRow[]
  readonly events: readonly SpeakerEvent[]
}

/** Things of one kind that are told one by one; more are counted. */
const mostAlike = 40

/** How long a conflict is worth a look, in milliseconds. */
const conflictMs = 600_000

/** The highest health score that is nothing unusual. */
const hearsWell = 2

/** Share of a pool in use from which it is about to be full. */
const nearlyFull = 0.9

const one = (fields: Omit<Attention, 'count'>): Attention => ({ ...fields, count: 1 })

/** Takes things that are alike together: `tell` is given a group. */
function together<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => string,
  tell: (group: readonly [Item, ...Item[]], key: string) => Attention,
): readonly Attention[] {
  const groups = new Map<string, [Item, ...Item[]]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return [...groups].map(([key, group]) => tell(group, key))
}

const names = (all: readonly string[]): string => few(all, 8)

function* ofSource({ source }: AttentionParts): Iterable<Attention> {
  if (!source) return
  yield one({
    id: 'source',
    severity: 'error',
    title: 'The API server is out of reach',
    detail: `since ${source.since}: ${source.message}`,
    advice:
      'What is announced stays announced, and dead nodes are still replaced; changes to Services and nodes are not seen. Look at the API server, and at the way from this node to it.',
  })
}

function* ofProblems({ problems }: AttentionParts): Iterable<Attention> {
  for (const { severity, kind, name, field, message } of problems.slice(0, mostAlike)) {
    const advice =
      severity === 'error' ? 'Until it is put right the last valid configuration stays in force.' : undefined
    yield one({
      id: `problem ${kind} ${name} ${field}`,
      severity,
      title: `${kind} ${name}`,
      detail: `${field === '' ? '' : `${field}: `}${message}`,
      ...(advice === undefined ? {} : { advice }),
    })
  }
}

function* ofNodes({ nodes }: AttentionParts): Iterable<Attention> {
  for (const { name, liveness, report } of nodes) {
    if (liveness === 'dead' || liveness === 'suspect') {
      yield one({
        id: `${liveness} ${name}`,
        severity: liveness === 'dead' ? 'error' : 'warning',
        title: liveness === 'dead' ? `${name} is dead` : `${name} does not answer`,
        detail:
          liveness === 'dead'
            ? 'its speaker was declared dead; others own its addresses'
            : 'it is suspected, and still owns its addresses until it is declared dead',
        advice:
          'Look whether the node runs, its speaker with it, and whether port 7946 reaches it by UDP and TCP.',
        search: name,
      })
    }
    if (!report) continue
    const { standing, configuration, health, failures } = report
    if (standing !== 'confirmed') {
      yield one({
        id: `standing ${name}`,
        severity: 'error',
        title: standing === 'paused' ? `${name} was held up` : `${name} hears nobody`,
        detail: 'it is not sure of its place in the cluster',
        advice: 'Look at its network and at what keeps its processors busy.',
        search: name,
      })
    }
    if (configuration === 'stale' || configuration === 'invalid') {
      yield one({
        id: `configuration ${name}`,
        severity: 'warning',
        title: `${name} refuses the configuration`,
        detail:
          configuration === 'stale'
            ? 'the last valid one is in force there'
            : 'it has never had a valid one, and announces nothing',
        search: name,
      })
    }
    if (health !== undefined && health > hearsWell) {
      yield one({
        id: `health ${name}`,
        severity: 'warning',
        title: `${name} hears the others badly`,
        detail: `its health score is ${health}; 0 is well`,
        advice: 'Look for packet loss and for a busy processor there.',
        search: name,
      })
    }
    for (const failure of failures) {
      yield one({
        id: `failure ${name} ${failure}`,
        severity: 'error',
        title: `${name} cannot announce everything`,
        detail: failure,
        search: name,
      })
    }
  }
}

/** Nodes of the cluster where no speaker is heard, although it might be elected there. */
function* ofAbsence({ nodes }: AttentionParts): Iterable<Attention> {
  const absent = nodes.filter(
    ({ liveness, unfit }) => liveness === 'absent' && unfit !== 'nodeLabeledExcludeBalancers',
  )
  const [first] = absent
  if (!first) return
  const many = absent.length > 1
  yield {
    id: 'absent',
    severity: 'warning',
    title: many ? `${absent.length} nodes have no speaker` : `${first.name} has no speaker`,
    detail: `${many ? `${names(absent.map(({ name }) => name))}: ` : ''}no speaker was heard there for a while`,
    advice: 'Look whether a speaker is to run there, and why it does not.',
    ...(many ? {} : { search: first.name }),
    count: absent.length,
  }
}

function* ofServices({ unserved }: AttentionParts): Iterable<Attention> {
  const pending = unserved.filter(({ reason }) => reason !== undefined)
  const waiting = together(
    pending,
    ({ reason }) => `${reason?.code} ${reason?.message}`,
    (group, key) => {
      const [{ service, reason }] = group
      const many = group.length > 1
      return {
        id: `pending ${many ? key : service}`,
        severity: 'warning',
        title: many ? `${group.length} Services have no address` : `${service} has no address`,
        detail: `${many ? `${names(group.map(one => one.service))}. ` : ''}${reason?.code}: ${reason?.message}`,
        count: group.length,
      }
    },
  )
  yield* waiting.slice(0, mostAlike)
  const more = waiting.slice(mostAlike).reduce((sum, { count }) => sum + count, 0)
  if (more > 0) {
    yield {
      id: 'pending more',
      severity: 'warning',
      title: `${more} more Services have no address`,
      detail: 'for other reasons; "carillon status" lists them all',
      count: more,
    }
  }
  const silent = unserved.filter(({ reason }) => reason === undefined)
  yield* together(
    silent,
    ({ because }) => because ?? '',
    (group, key) => {
      const [{ because, service }] = group
      const meaning = because && meaningOf(because, 'layer2')
      const many = group.length > 1
      return {
        id: `silent ${key}`,
        severity: 'error',
        title: many
          ? `${group.length} Services are announced by nobody`
          : `${service} is announced by nobody`,
        detail: `${meaning ? meaning.sentence : 'no advertisement selects the pool'}${many ? `: ${names(group.map(one => one.service))}` : ''}`,
        advice: meaning
          ? meaning.advice
          : 'Create an L2Advertisement or a BGPAdvertisement, or add the pool to one.',
        search: service,
        count: group.length,
      }
    },
  )
}

function* ofSessions({ sessions }: AttentionParts): Iterable<Attention> {
  const down = sessions.filter(({ state }) => state !== 'Established')
  yield* together(
    down,
    ({ peer, state, trouble }) => `${peer} ${state} ${trouble ?? ''}`,
    group => {
      const [{ peer, state, trouble }] = group
      const nodes = group.map(({ node }) => node)
      return {
        id: `session ${peer} ${state} ${trouble ?? ''}`,
        severity: 'error',
        title: `${group.length === 1 ? 'A session' : `${group.length} sessions`} with ${peer} ${group.length === 1 ? 'is' : 'are'} down`,
        detail: `${names(nodes)}: ${state}${trouble === undefined ? '' : `, ${trouble}`}`,
        advice:
          'Look at the router, at AS numbers and password on both sides, and whether TCP port 179 reaches it.',
        search: peer,
        count: group.length,
      }
    },
  )
}

function* ofPools({ pools }: AttentionParts): Iterable<Attention> {
  for (const { name, assignedIPv4, assignedIPv6, availableIPv4, availableIPv6 } of pools) {
    for (const [family, used, free] of [
      ['IPv4', assignedIPv4, availableIPv4],
      ['IPv6', assignedIPv6, availableIPv6],
    ] as const) {
      if (used === 0 || used / (used + free) < nearlyFull) continue
      yield one({
        id: `pool ${name} ${family}`,
        severity: 'warning',
        title: `Pool ${name} is ${free === 0 ? 'full' : 'nearly full'}`,
        detail: `${used} of ${used + free} ${family} addresses are in use`,
        advice: 'Add a range to it, or a pool.',
        search: name,
      })
    }
  }
}

function* ofConflicts({ events, now }: AttentionParts): Iterable<Attention> {
  const recent = events.filter(
    ({ type, at }) => type === 'addressConflict' && now.getTime() - Date.parse(at) < conflictMs,
  )
  yield* together(
    recent,
    ({ message }) => message,
    ([{ address = '', message }, ...more]) => ({
      id: `conflict ${message}`,
      severity: 'error',
      title: `Two stations use ${address}`,
      detail: message,
      advice:
        'Find the other station by its MAC address in the tables of your switches, and take the address from it.',
      search: address,
      count: more.length + 1,
    }),
  )
}

/** What somebody should look at, errors first. */
export function attention(parts: AttentionParts): readonly Attention[] {
  const all = [
    ofSource,
    ofProblems,
    ofConflicts,
    ofNodes,
    ofAbsence,
    ofServices,
    ofSessions,
    ofPools,
  ].flatMap(of => [...of(parts)])
  return [
    ...all.filter(({ severity }) => severity === 'error'),
    ...all.filter(({ severity }) => severity !== 'error'),
  ]
}
