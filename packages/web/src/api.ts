import type { Because, Member, MembershipStanding, PlanDocument, PlannedAnnouncement } from '@carillon/core'

/** How full a pool is. */
export type PoolRow = PlanDocument['pools'][number]

/** An assigned address. Times are ISO 8601, here and everywhere. */
export interface AddressRow {
  readonly address: string
  /** `namespace/name` of every Service that has it. */
  readonly services: readonly string[]
  readonly pool: string
  /** Those whose advertisements select the pool. */
  readonly protocols: readonly ('bgp' | 'layer2')[]
  /** The node elected for the local segment; absent: nobody is. */
  readonly owner?: string
  /** Since when, as the node that is asked saw it. */
  readonly since?: string
  /** The owner was there when the node that is asked started: it has held the address for longer. */
  readonly longer?: true
}

/** What a node says of itself when another one asks. */
export interface NodeReport {
  readonly version: string
  readonly startedAt: string
  readonly configuration: 'loading' | 'valid' | 'stale' | 'invalid'
  readonly standing: MembershipStanding
  /** How badly it hears the others; 0: well. Absent where it does not gossip. */
  readonly health?: number
  /** Load average of the last minute for each processor of the host. */
  readonly load: number
  /** Share of one processor that the speaker has taken since it was asked last; 1: all of it. */
  readonly cpu: number
  /** Memory of the speaker, in bytes. */
  readonly memory: number
  /** What announcers cannot do that they should, and why. */
  readonly failures: readonly string[]
  readonly sessions: readonly SessionReport[]
}

/** A BGP session as its node tells of it. */
export interface SessionReport {
  readonly peer: string
  /** Address or interface of the peer. */
  readonly at: string
  readonly state: string
  /** Since when routes flow; where they do not, since when that is so. */
  readonly since: string
  readonly peerAs?: number
  readonly bfd?: string
  /** Routes to be carried, carried, waiting, and impossible. */
  readonly routes: readonly [desired: number, announced: number, pending: number, failed: number]
  /** What went wrong last, or what it waits for. */
  readonly trouble?: string
}

/** A node: one of the cluster, or a member of the gossip. */
export interface NodeRow {
  readonly name: string
  readonly address?: string
  /** `absent`: the cluster has the node, and no speaker was ever heard there. */
  readonly liveness: Member['liveness'] | 'absent'
  /** Addresses that it owns. */
  readonly owns: number
  /** Why it may not be elected for any address. */
  readonly unfit?: Because
  /** What it said last. Absent: it did not answer, as MetalLB's speakers do not. */
  readonly report?: NodeReport
  /** When it said so. */
  readonly reportedAt?: string
}

/** A BGP session, and whose it is. */
export interface SessionRow extends SessionReport {
  readonly node: string
}

/** Something that somebody should look at. */
export interface Attention {
  /** The same as long as it is about the same. */
  readonly id: string
  readonly severity: 'error' | 'warning'
  /** What is the case, in a few words. */
  readonly title: string
  readonly detail: string
  /** What to do. */
  readonly advice?: string
  /** What to search for to see more. */
  readonly search?: string
  /** How many are alike. */
  readonly count: number
}

/** What happened, newest first. Many Services that move at once for one reason are one entry. */
export interface TimelineEntry {
  readonly id: number
  readonly at: string
  /** `moved`, or another type of event; see docs/reference/http.md. */
  readonly type: string
  /** What happened, in a sentence. */
  readonly message: string
  /** Of a move: who had the Services. */
  readonly from?: string
  /** Of a move: who has them now (without a node: nobody), and how many. */
  readonly to?: readonly { readonly node?: string; readonly count: number }[]
  /** Of a move: the first address of a few of the Services. */
  readonly addresses?: readonly string[]
  /** Of a move: how many Services; of anything else: how often it was told. */
  readonly count?: number
  readonly because?: Because
  /** For how long nobody answered, about, in milliseconds; absent where that is not known. */
  readonly gapMs?: number
}

/** The node that is asked. */
export interface Seen {
  readonly node: string
  readonly version: string
  readonly startedAt: string
  readonly configuration: NodeReport['configuration']
  readonly standing: MembershipStanding
  /** One more with every plan: succession may be different. */
  readonly plan: number
}

/** How many there are of everything. */
export interface Totals {
  readonly services: number
  readonly pending: number
  readonly addresses: number
  /** Addresses that somebody announces, by whatever protocol. */
  readonly announced: number
}

/** Everything but the addresses, in parts that are told when they change. */
export interface Parts {
  readonly seen: Seen
  readonly totals: Totals
  readonly nodes: readonly NodeRow[]
  readonly sessions: readonly SessionRow[]
  readonly pools: readonly PoolRow[]
  readonly attention: readonly Attention[]
  readonly timeline: readonly TimelineEntry[]
}

/** The event `parts`: those parts that changed, each as a whole. */
export type PartsEvent = Partial<Parts>

/** The event `rows`: addresses that are new or different, and addresses that are gone. */
export interface RowsEvent {
  readonly rows: readonly AddressRow[]
  readonly gone: readonly string[]
  /** Present in the first of a whole listing: forget all addresses. */
  readonly reset?: true
  /** Present in a whole listing: how many addresses it has. */
  readonly total?: number
}

/** The event `beat`: the stream lives. */
export interface BeatEvent {
  readonly now: string
}

/** Who follows, for each of the addresses that were asked for: `/api/v1/succession`. The owner comes first; at most four names. */
export interface SuccessionAnswer {
  readonly plan: number
  readonly succession: Readonly<Record<string, readonly string[]>>
}

/** A candidate's place: what puts it before the one that follows. */
export interface Candidate {
  readonly node: string
  readonly score: number
  readonly digest: string
  readonly aheadBy?: 'score' | 'digest'
}

/** Why a node does not speak for a Service. */
export interface Silence {
  readonly protocol: 'bgp' | 'layer2'
  readonly nodes: readonly string[]
  readonly because: Because
  readonly sentence: string
  readonly advice: string
}

/** Why things are as they are with an address: `/api/v1/explanation`. */
export interface ExplanationAnswer {
  readonly address: string
  readonly row: AddressRow
  /** The Service whose election decides. */
  readonly decidedBy?: string
  readonly candidates: readonly Candidate[]
  readonly announcements: readonly PlannedAnnouncement[]
  readonly silent: readonly Silence[]
}
