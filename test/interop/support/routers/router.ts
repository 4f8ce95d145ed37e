import type { RouteFamily, SessionState } from '@carillon/bgp'
import type { OriginConfig, RouterConfig } from './router-config.ts'

/** A session as the router sees it. */
export interface RouterSession {
  /** Address, or the interface where the neighbour is unnumbered. */
  readonly neighbor: string
  readonly state: SessionState
  readonly remoteAs: number
  readonly remoteRouterId: string
  /** What the neighbour has offered, by our names of capabilities; empty before the session is established. */
  readonly capabilities: readonly string[]
  /** Routes taken from the neighbour. */
  readonly received: number
  /** Seconds that were agreed on; 0 where the router does not tell. */
  readonly holdTime: number
  /** The router's words for why the session ended last; '' where it has none. */
  readonly lastError: string
}

/** A way to a prefix that a neighbour has told the router. */
export interface RouterPath {
  readonly neighbor: string
  /** Without a link-local address beside a global one. */
  readonly nextHop: string
  readonly asPath: readonly number[]
  readonly localPref?: number
  readonly med?: number
  /** `65000:1`, in numeric order. */
  readonly communities: readonly string[]
  /** `65000:1:2`, in numeric order. */
  readonly largeCommunities: readonly string[]
  /** Kept for a neighbour that restarts (RFC 4724). */
  readonly stale: boolean
}

/** A BFD session as the router sees it. */
export interface RouterBfd {
  readonly neighbor: string
  readonly state: 'adminDown' | 'down' | 'init' | 'up'
  /** Milliseconds between two packets of the router; 0 where it does not tell. */
  readonly transmitMs: number
  /** Milliseconds of silence after which it declares the neighbour down; 0 where it does not tell. */
  readonly detectMs: number
}

/** A router of somebody else's, that runs in a host of a lab. */
export interface Router extends AsyncDisposable {
  /** `FRR 8.4.4` */
  readonly version: string
  /** The lab's name of its host. */
  readonly host: string
  readonly config: RouterConfig
  readonly running: boolean
  /** Process id of the daemon that speaks BGP. */
  readonly pid: number | undefined
  /** All that it has written, for people. */
  readonly log: string
  sessions(): Promise<readonly RouterSession[]>
  /** What neighbours have told it of a family: paths by prefix. */
  routes(family: RouteFamily): Promise<ReadonlyMap<string, readonly RouterPath[]>>
  bfd(): Promise<readonly RouterBfd[]>
  /** Makes it announce exactly these routes of its own. */
  originate(routes: readonly OriginConfig[]): Promise<void>
  /** Asks a neighbour to send all its routes again (RFC 2918). */
  refresh(neighbor: string): Promise<void>
  /** Ends a session with a NOTIFICATION, and begins anew. */
  clear(neighbor: string): Promise<void>
  /** Ends a session for good, with a text that the neighbour may show (RFC 9003). */
  shut(neighbor: string, text: string): Promise<void>
  /** Ends it as its operator would. */
  stop(): Promise<void>
  /** kill -9. */
  kill(): Promise<void>
  /** Starts it, after it has ended, with the same configuration or parts of another. */
  start(changes?: Partial<RouterConfig>): Promise<void>
}

const states: readonly SessionState[] = [
  'Idle',
  'Connect',
  'Active',
  'OpenSent',
  'OpenConfirm',
  'Established',
]

/** The state that a router's word stands for; words of its own are stages of Idle. */
export const sessionState = (word: string): SessionState => states.find(state => state === word) ?? 'Idle'

const numbers = (text: string): readonly number[] => text.split(':').map(Number)

/** Puts communities, standard or large, in numeric order. */
export const inOrder = (communities: readonly string[]): readonly string[] =>
  [...communities].sort((a, b) => {
    const right = numbers(b)
    const differing = numbers(a)
      .map((part, i) => part - (right[i] ?? 0))
      .find(difference => difference !== 0)
    return differing ?? 0
  })
