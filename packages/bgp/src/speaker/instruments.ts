import {
  type Clock,
  type Counter,
  formatEndpoint,
  type Gauge,
  type Labels,
  type Metrics,
} from '@carillon/core'
import type { RibCounts } from '../rib/index.ts'
import type { SessionCounters } from '../session/status.ts'
import type { PeerSettings } from './peer.ts'

/** The names of the metrics of BGP sessions, with what each says. MetalLB's own where it has one. */
export const metricNames = {
  sessionUp: 'metallb_bgp_session_up',
  announcedPrefixes: 'metallb_bgp_announced_prefixes_total',
  pendingPrefixes: 'metallb_bgp_pending_prefixes_total',
  updatesSent: 'metallb_bgp_updates_total',
  updatesReceived: 'metallb_bgp_updates_total_received',
  opensSent: 'metallb_bgp_opens_sent',
  opensReceived: 'metallb_bgp_opens_received',
  keepalivesSent: 'metallb_bgp_keepalives_sent',
  keepalivesReceived: 'metallb_bgp_keepalives_received',
  notificationsSent: 'metallb_bgp_notifications_sent',
  notificationsReceived: 'carillon_bgp_notifications_received',
  refreshesSent: 'metallb_bgp_route_refresh_sent',
  refreshesReceived: 'carillon_bgp_route_refresh_received',
  messagesSent: 'metallb_bgp_total_sent',
  messagesReceived: 'metallb_bgp_total_received',
  prefixesReceived: 'carillon_bgp_prefixes_received',
  faultyUpdates: 'carillon_bgp_faulty_updates',
  sessionDowns: 'carillon_bgp_session_downs',
  connectionsRefused: 'carillon_bgp_connections_refused',
} as const

const help: Readonly<Record<keyof SessionCounters & keyof typeof metricNames, string>> = {
  updatesSent: 'UPDATE messages sent',
  updatesReceived: 'UPDATE messages received',
  opensSent: 'OPEN messages sent',
  opensReceived: 'OPEN messages received',
  keepalivesSent: 'KEEPALIVE messages sent',
  keepalivesReceived: 'KEEPALIVE messages received',
  notificationsSent: 'NOTIFICATION messages sent',
  notificationsReceived: 'NOTIFICATION messages received',
  refreshesSent: 'ROUTE-REFRESH messages sent',
  refreshesReceived: 'ROUTE-REFRESH messages received',
  messagesSent: 'BGP messages sent',
  messagesReceived: 'BGP messages received',
  prefixesReceived: 'Prefixes announced by the peer, which are counted and not kept',
  faultyUpdates: 'UPDATE messages received with a fault that did not end the session',
}

type Counted = keyof typeof help

/** What is read of a session. */
export interface Measured {
  readonly peer: PeerSettings
  readonly address: string | undefined
  readonly counters: SessionCounters
  readonly routes: { readonly counts: RibCounts }
}

const flushMs = 1000

/** The session in labels: the peer's endpoint, and the VRF where there is one. */
function labelsOf({ peer, address }: Measured): Labels {
  const name =
    address === undefined ? (peer.interface as string) : formatEndpoint({ address, port: peer.port })
  return { peer: name, ...(peer.vrf !== undefined && { vrf: peer.vrf }) }
}

/** Hands over what sessions count, once a second while there is something to hand over. */
export class Instruments {
  readonly #clock: Clock
  readonly #counters: Readonly<Record<Counted, Counter>>
  readonly #up: Gauge
  readonly #announced: Gauge
  readonly #pending: Gauge
  readonly #downs: Counter
  readonly #refused: Counter
  readonly #told = new Map<Measured, { counters: Partial<Record<Counted, number>>; labels: Labels }>()
  readonly #waiting = new Set<Measured>()
  #refusals = 0
  #cancel: (() => void) | undefined

  constructor(metrics: Metrics, clock: Clock) {
    const labels = ['peer', 'vrf'] as const
    this.#clock = clock
    this.#up = metrics.gauge(metricNames.sessionUp, 'BGP session state (1 is up, 0 is down)', labels)
    this.#announced = metrics.gauge(
      metricNames.announcedPrefixes,
      'Prefixes that the peer has been told',
      labels,
    )
    this.#pending = metrics.gauge(
      metricNames.pendingPrefixes,
      'Prefixes that the peer is still to be told',
      labels,
    )
    this.#downs = metrics.counter(metricNames.sessionDowns, 'Times that an established session ended', labels)
    this.#refused = metrics.counter(
      metricNames.connectionsRefused,
      'Connections refused, as no configured peer may make them',
    )
    const names = Object.keys(help) as Counted[]
    this.#counters = Object.fromEntries(
      names.map(name => [name, metrics.counter(metricNames[name], help[name], labels)]),
    ) as Record<Counted, Counter>
  }

  /** There is a session. */
  open(session: Measured): void {
    const labels = labelsOf(session)
    this.#told.set(session, { counters: {}, labels })
    this.#up.set(0, labels)
    this.touch(session)
  }

  up(session: Measured): void {
    this.#up.set(1, this.#labels(session))
    this.touch(session)
  }

  down(session: Measured): void {
    const labels = this.#labels(session)
    this.#up.set(0, labels)
    this.#downs.inc(labels)
    this.touch(session)
  }

  refused(): void {
    this.#refusals++
    this.#arm()
  }

  /** To be called when a session has counted something. */
  touch(session: Measured): void {
    if (this.#waiting.has(session) || !this.#told.has(session)) return
    this.#waiting.add(session)
    this.#arm()
  }

  /** The session is no more. `replaced`: by another one with the same peer. */
  close(session: Measured, replaced: boolean): void {
    const known = this.#told.get(session)
    if (!known) return
    this.#hand(session)
    this.#told.delete(session)
    this.#waiting.delete(session)
    if (replaced) return
    for (const gauge of [this.#up, this.#announced, this.#pending]) gauge.remove(known.labels)
  }

  /** Hands over what was counted. */
  flush(): void {
    this.#cancel?.()
    this.#cancel = undefined
    for (const session of this.#waiting) this.#hand(session)
    this.#waiting.clear()
    if (this.#refusals > 0) this.#refused.inc({}, this.#refusals)
    this.#refusals = 0
  }

  #arm(): void {
    this.#cancel ??= this.#clock.after(flushMs, () => this.flush())
  }

  /** Those by which the session is known now; the address of a peer on an interface is found late. */
  #labels(session: Measured): Labels {
    const known = this.#told.get(session)
    const labels = labelsOf(session)
    if (!known || known.labels.peer === labels.peer) return labels
    for (const gauge of [this.#up, this.#announced, this.#pending]) gauge.remove(known.labels)
    known.labels = labels
    return labels
  }

  #hand(session: Measured): void {
    const known = this.#told.get(session)
    if (!known) return
    const labels = this.#labels(session)
    const { counters } = session
    for (const name of Object.keys(help) as Counted[]) {
      const by = counters[name] - (known.counters[name] ?? 0)
      if (by > 0) this.#counters[name].inc(labels, by)
      known.counters[name] = counters[name]
    }
    const { announced, pending } = session.routes.counts
    this.#announced.set(announced, labels)
    this.#pending.set(pending, labels)
  }
}
