import type { Counter, Gauge, Metrics } from '@carillon/core'
import type { BfdCounters, DropReason } from './report.ts'

/** The names of the BFD metrics. */
export const bfdMetricNames = {
  up: 'metallb_bfd_session_up',
  controlIn: 'metallb_bfd_control_packet_input',
  controlOut: 'metallb_bfd_control_packet_output',
  echoIn: 'metallb_bfd_echo_packet_input',
  echoOut: 'metallb_bfd_echo_packet_output',
  ups: 'metallb_bfd_session_up_events',
  downs: 'metallb_bfd_session_down_events',
  dropped: 'carillon_bfd_packets_dropped',
} as const

const peerLabel = ['peer'] as const

/** The instruments of BFD, by peer. */
export class BfdMetrics {
  readonly #up: Gauge
  readonly #packets: Readonly<Record<keyof BfdCounters, Counter>>
  readonly #ups: Counter
  readonly #downs: Counter
  readonly #dropped: Counter

  constructor(metrics: Metrics) {
    const counter = (name: Exclude<keyof typeof bfdMetricNames, 'up' | 'dropped'>, help: string): Counter =>
      metrics.counter(bfdMetricNames[name], help, peerLabel)
    this.#up = metrics.gauge(
      bfdMetricNames.up,
      'Whether the BFD session with the peer is up: 1 or 0',
      peerLabel,
    )
    this.#packets = {
      controlIn: counter('controlIn', 'BFD control packets received from the peer'),
      controlOut: counter('controlOut', 'BFD control packets sent to the peer'),
      echoIn: counter('echoIn', 'BFD echo packets that came back from the peer'),
      echoOut: counter('echoOut', 'BFD echo packets sent by way of the peer'),
    }
    this.#ups = counter('ups', 'Times that the BFD session with the peer came up')
    this.#downs = counter('downs', 'Times that the BFD session with the peer went down')
    this.#dropped = metrics.counter(bfdMetricNames.dropped, 'BFD packets dropped, by reason', ['reason'])
  }

  state(peer: string, up: boolean): void {
    this.#up.set(up ? 1 : 0, { peer })
  }

  forget(peer: string): void {
    this.#up.remove({ peer })
  }

  cameUp(peer: string): void {
    this.#ups.inc({ peer })
  }

  wentDown(peer: string): void {
    this.#downs.inc({ peer })
  }

  passed(peer: string, before: BfdCounters, now: BfdCounters): void {
    for (const name of Object.keys(this.#packets) as (keyof BfdCounters)[]) {
      // Another thread counts from 0.
      const by = now[name] < before[name] ? now[name] : now[name] - before[name]
      if (by > 0) this.#packets[name].inc({ peer }, by)
    }
  }

  dropped(counts: Partial<Readonly<Record<DropReason, number>>>): void {
    for (const [reason, count] of Object.entries(counts)) this.#dropped.inc({ reason }, count)
  }
}
