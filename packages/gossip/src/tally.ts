import {
  type Clock,
  type Counter,
  type Endpoint,
  formatEndpoint,
  type Gauge,
  type Logger,
  type Metrics,
} from '@carillon/core'

/** What passed a member, and what it refused. */
export interface Figures {
  readonly packetsSent: number
  readonly packetsReceived: number
  readonly bytesSent: number
  readonly bytesReceived: number
  /** Dialed and accepted. */
  readonly streams: number
  /** What arrived and was not taken, by cause. */
  readonly dropped: Readonly<Record<string, number>>
}

const firstLogs = 3
const logEveryMs = 60_000

/** Counts what passes and what is refused, and logs causes of refusal at a bounded rate. */
export class Tally {
  readonly #metrics: { readonly [Name in 'packets' | 'bytes' | 'streams' | 'dropped']: Counter }
  readonly #waitingMetric: Gauge
  readonly #log: Logger
  readonly #clock: Clock
  readonly #figures = { packetsSent: 0, packetsReceived: 0, bytesSent: 0, bytesReceived: 0, streams: 0 }
  readonly #dropped: Record<string, number> = {}
  readonly #logged = new Map<string, { count: number; since: number }>()
  #flushed = this.figures()
  #waiting = 0
  #cancel: (() => void) | undefined

  constructor(metrics: Metrics, log: Logger, clock: Clock) {
    this.#log = log
    this.#clock = clock
    this.#metrics = {
      packets: metrics.counter('carillon_gossip_packets_total', 'Gossip datagrams', ['direction']),
      bytes: metrics.counter('carillon_gossip_bytes_total', 'Bytes of gossip datagrams', ['direction']),
      streams: metrics.counter('carillon_gossip_streams_total', 'Gossip streams, dialed and accepted'),
      dropped: metrics.counter('carillon_gossip_dropped_total', 'Gossip that arrived and was not taken', [
        'cause',
      ]),
    }
    this.#waitingMetric = metrics.gauge(
      'carillon_gossip_waiting',
      'Most gossip messages that waited at once to be handled, in a second',
    )
  }

  sent(bytes: number): void {
    this.#figures.packetsSent++
    this.#figures.bytesSent += bytes
    this.#soon()
  }

  received(bytes: number): void {
    this.#figures.packetsReceived++
    this.#figures.bytesReceived += bytes
    this.#soon()
  }

  stream(): void {
    this.#figures.streams++
    this.#soon()
  }

  /** So many messages wait at this moment. */
  waiting(messages: number): void {
    this.#waiting = Math.max(this.#waiting, messages)
    this.#soon()
  }

  dropped(cause: string, peer: Endpoint): void {
    const total = (this.#dropped[cause] ?? 0) + 1
    this.#dropped[cause] = total
    this.#soon()
    const now = this.#clock.now()
    const logged = this.#logged.get(cause)
    const fresh = !logged || now - logged.since > logEveryMs
    const count = fresh ? 1 : logged.count + 1
    this.#logged.set(cause, { count, since: fresh ? now : logged.since })
    if (count <= firstLogs)
      this.#log.warn({ cause, peer: formatEndpoint(peer), total }, 'gossip was not taken')
  }

  // Metrics are brought up to date once a second: there are many packets.
  #soon(): void {
    this.#cancel ??= this.#clock.after(1000, () => {
      this.#cancel = undefined
      this.#flush()
    })
  }

  #flush(): void {
    const [now, before] = [this.figures(), this.#flushed]
    this.#flushed = now
    const { packets, bytes, streams, dropped } = this.#metrics
    packets.inc({ direction: 'sent' }, now.packetsSent - before.packetsSent)
    packets.inc({ direction: 'received' }, now.packetsReceived - before.packetsReceived)
    bytes.inc({ direction: 'sent' }, now.bytesSent - before.bytesSent)
    bytes.inc({ direction: 'received' }, now.bytesReceived - before.bytesReceived)
    streams.inc({}, now.streams - before.streams)
    for (const [cause, count] of Object.entries(now.dropped)) {
      const more = count - (before.dropped[cause] ?? 0)
      if (more > 0) dropped.inc({ cause }, more)
    }
    this.#waitingMetric.set(this.#waiting)
    this.#waiting = 0
  }

  figures(): Figures {
    return { ...this.#figures, dropped: { ...this.#dropped } }
  }

  stop(): void {
    this.#cancel?.()
  }
}
