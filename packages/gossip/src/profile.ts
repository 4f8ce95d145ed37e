/** How closely the members of the `fast` profile watch each other, in milliseconds. */
export interface WatchSettings {
  /** How many members watch each member. More of them find a death with more certainty, and cost as many more pings. */
  readonly watchers: number
  /** From one ping to the next while all is well. Shorter finds a death sooner, and costs packets. */
  readonly intervalMs: number
  /** Without a sign of life for this long, the watcher asks on every path: again, through others, and by TCP. */
  readonly alarmMs: number
  /** From one question to the next while alarmed. */
  readonly retryMs: number
  /**
   * Without a sign of life for this long, the watcher accuses. Has to be longer than a healthy process may be held up; one that lately was
   * silent for nearly as long, and lived, gets up to four times as much.
   */
  readonly accuseMs: number
  /** How much longer a watcher waits before it declares a death that no other watcher can confirm. */
  readonly aloneMs: number
  /** A process that was held up for this long itself trusts none of its timers, and no longer its own membership. */
  readonly pauseMs: number
  /** Members up to which urgent news goes straight to everyone; beyond, it is passed on from one to the next. */
  readonly tellAllUpTo: number
}

/** What the protocol does when. Times in milliseconds; the names are memberlist's. */
export interface Settings {
  /** Time for a whole exchange over TCP. */
  readonly tcpTimeoutMs: number
  /** Members asked to ping one that did not answer us. More of them survive more loss, and cost more packets. */
  readonly indirectChecks: number
  /** News is passed on this many times the logarithm of the number of members. More reaches everyone with more certainty. */
  readonly retransmitMult: number
  /** A suspicion lasts at least this many probe intervals (times the logarithm of the number of members). */
  readonly suspicionMult: number
  /** It lasts at most this many times as long, when nobody confirms it. */
  readonly suspicionMaxTimeoutMult: number
  /** From one exchange of whole tables to the next; 0: never. Shorter heals divergence sooner, and costs bytes. */
  readonly pushPullIntervalMs: number
  /** Time for an answer before others are asked. */
  readonly probeTimeoutMs: number
  /** From one probe to the next. Shorter finds a death sooner, and costs packets. */
  readonly probeIntervalMs: number
  /** Do not try TCP when a probe gets no answer. */
  readonly disableTcpPings: boolean
  /** How many times longer the probe interval of a node may get that hears badly itself. */
  readonly awarenessMaxMultiplier: number
  /** Members told at each gossip tick. */
  readonly gossipNodes: number
  /** From one gossip tick to the next; 0: never. */
  readonly gossipIntervalMs: number
  /** The dead are told of the living for this long, so that they can object; then they are forgotten. */
  readonly gossipToTheDeadMs: number
  /** Messages of others that wait to be handled, at most; what comes then is dropped, and told again. More survives a greater burst, and takes memory. */
  readonly handoffQueueDepth: number
  /** Bytes of a packet. */
  readonly udpBufferSize: number
  /** Compress what we send. */
  readonly enableCompression: boolean
  /** A dead member's name may come back with another address after this long; 0: only once it has been forgotten. */
  readonly deadNodeReclaimMs: number
  /** From one attempt to reach those of the join list, and the lost, to the next (on average); a quarter of it for one that knows nobody. */
  readonly rejoinIntervalMs: number
  /** Watches closely; absent: only memberlist's own probes. */
  readonly watch?: WatchSettings
}

const lan: Settings = {
  tcpTimeoutMs: 10_000,
  indirectChecks: 3,
  retransmitMult: 4,
  suspicionMult: 4,
  suspicionMaxTimeoutMult: 6,
  pushPullIntervalMs: 30_000,
  probeTimeoutMs: 500,
  probeIntervalMs: 1000,
  disableTcpPings: false,
  awarenessMaxMultiplier: 8,
  gossipNodes: 3,
  gossipIntervalMs: 200,
  gossipToTheDeadMs: 30_000,
  handoffQueueDepth: 1024,
  udpBufferSize: 1400,
  enableCompression: true,
  deadNodeReclaimMs: 0,
  rejoinIntervalMs: 5000,
}

/**
 * Ready-made settings. `lan`, `wan` and `local` are memberlist's; `fast` is `lan` with members that watch each other closely, and finds
 * a death in about a quarter of a second at some 50 small packets a second for each member, however many there are.
 */
export const profiles: {
  readonly fast: Settings
  readonly lan: Settings
  readonly wan: Settings
  readonly local: Settings
} = {
  fast: {
    ...lan,
    rejoinIntervalMs: 2000,
    handoffQueueDepth: 8192,
    watch: {
      watchers: 3,
      intervalMs: 60,
      alarmMs: 100,
      retryMs: 20,
      accuseMs: 240,
      aloneMs: 120,
      pauseMs: 150,
      tellAllUpTo: 64,
    },
  },
  lan,
  wan: {
    ...lan,
    tcpTimeoutMs: 30_000,
    suspicionMult: 6,
    pushPullIntervalMs: 60_000,
    probeTimeoutMs: 3000,
    probeIntervalMs: 5000,
    gossipNodes: 4,
    gossipIntervalMs: 500,
    gossipToTheDeadMs: 60_000,
  },
  local: {
    ...lan,
    tcpTimeoutMs: 1000,
    indirectChecks: 1,
    retransmitMult: 2,
    suspicionMult: 3,
    pushPullIntervalMs: 15_000,
    probeTimeoutMs: 200,
    gossipIntervalMs: 100,
    gossipToTheDeadMs: 15_000,
  },
}

/** The name of one of `profiles`. */
export type ProfileName = keyof typeof profiles
