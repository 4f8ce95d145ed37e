import type { Clock, Counter, Metrics } from '@carillon/core'
import type { OwnedAddress } from './owned.ts'

/** Why a frame was dropped; the label `reason` of `carillon_layer2_frames_dropped`. */
export const dropReasons = [
  /** Ends before its last field. */
  'short',
  /** A fixed field has a value that the protocol does not allow. */
  'malformed',
  /** Addressed to another station (a promiscuous interface shows such frames). */
  'destination',
  /** The sender's MAC address is a group address or empty. */
  'sender',
  /** It came through a router: the hop limit is not 255 (RFC 4861 section 7.1). */
  'hopLimit',
  'checksum',
  /** An option is empty, or longer than the packet. */
  'option',
] as const

/** Why a frame was dropped; one of `dropReasons`. */
export type DropReason = (typeof dropReasons)[number]

/** The names of the metrics of this package, with what each counts. */
export const metricNames = {
  requests: 'metallb_layer2_requests_received',
  responses: 'metallb_layer2_responses_sent',
  gratuitous: 'metallb_layer2_gratuitous_sent',
  conflicts: 'carillon_layer2_conflicts',
  dropped: 'carillon_layer2_frames_dropped',
  interfaceFailures: 'carillon_layer2_interface_failures',
} as const

const FLUSH_MS = 1000

/**
 * Counts at the speed of the wire: in plain numbers, handed to the metrics once a second while there is something to hand
 * over.
 */
export class Counters {
  readonly #clock: Clock
  readonly #protocol: string
  readonly #requests: Counter
  readonly #responses: Counter
  readonly #gratuitous: Counter
  readonly #conflicts: Counter
  readonly #dropped: Counter
  readonly #failures: Counter
  readonly #drops: Record<DropReason, number>
  #waiting: OwnedAddress[] = []
  #cancel: (() => void) | undefined

  constructor(protocol: string, metrics: Metrics, clock: Clock) {
    this.#clock = clock
    this.#protocol = protocol
    const ip = ['ip'] as const
    this.#requests = metrics.counter(
      metricNames.requests,
      'ARP requests and neighbour solicitations for our addresses',
      ip,
    )
    this.#responses = metrics.counter(
      metricNames.responses,
      'ARP replies and neighbour advertisements sent in answer',
      ip,
    )
    this.#gratuitous = metrics.counter(
      metricNames.gratuitous,
      'ARP and neighbour advertisement frames sent unasked',
      ip,
    )
    this.#conflicts = metrics.counter(
      metricNames.conflicts,
      'Frames in which another station claimed our address',
      ip,
    )
    this.#dropped = metrics.counter(metricNames.dropped, 'Frames dropped as malformed or not meant for us', [
      'protocol',
      'reason',
    ])
    this.#failures = metrics.counter(metricNames.interfaceFailures, 'Sockets of an interface that failed', [
      'protocol',
      'interface',
    ])
    this.#drops = Object.fromEntries(dropReasons.map(reason => [reason, 0])) as Record<DropReason, number>
  }

  drop(reason: DropReason): void {
    this.#drops[reason]++
    this.#arm()
  }

  /** To be called when a number of the address grows. */
  count(owned: OwnedAddress): void {
    if (owned.counted) return
    owned.counted = true
    this.#waiting.push(owned)
    this.#arm()
  }

  interfaceFailed(name: string): void {
    this.#failures.inc({ protocol: this.#protocol, interface: name })
  }

  #arm(): void {
    this.#cancel ??= this.#clock.after(FLUSH_MS, () => this.flush())
  }

  /** Hands over what was counted. */
  flush(): void {
    this.#cancel?.()
    this.#cancel = undefined
    const waiting = this.#waiting
    this.#waiting = []
    for (const owned of waiting) {
      const labels = { ip: owned.text }
      if (owned.requests > 0) this.#requests.inc(labels, owned.requests)
      if (owned.responses > 0) this.#responses.inc(labels, owned.responses)
      if (owned.gratuitous > 0) this.#gratuitous.inc(labels, owned.gratuitous)
      if (owned.conflicts > 0) this.#conflicts.inc(labels, owned.conflicts)
      owned.requests = owned.responses = owned.gratuitous = owned.conflicts = 0
      owned.counted = false
    }
    for (const reason of dropReasons) {
      if (this.#drops[reason] > 0)
        this.#dropped.inc({ protocol: this.#protocol, reason }, this.#drops[reason])
      this.#drops[reason] = 0
    }
  }
}
