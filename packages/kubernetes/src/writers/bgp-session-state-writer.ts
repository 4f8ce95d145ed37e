import type { BGPSessionStateStatus } from '@carillon/core'
import { resourceTypes } from '../client/index.ts'
import { digest, labelValue, namePart } from './labels.ts'
import type { ServiceStatusObjectsOptions } from './service-l2-status-writer.ts'
import { type StatusObject, StatusObjects } from './status-objects.ts'
import type { WriterStatus } from './write-queue.ts'

/** How the session of this node with one peer stands. */
export interface BgpSession {
  /** Name of the BGPPeer. */
  readonly peer: string
  readonly peerAddress?: string
  readonly vrf?: string
  readonly bgpStatus: NonNullable<BGPSessionStateStatus['bgpStatus']>
  /** Absent: without BFD. */
  readonly bfdStatus?: Exclude<BGPSessionStateStatus['bfdStatus'], 'N/A' | undefined>
  /** Since when it is established, or is not. */
  readonly since: Date
  /** Why it is not established. */
  readonly reason?: string
}

interface Kept {
  readonly session: BgpSession
  readonly object: StatusObject
}

const same = (a: BgpSession, b: BgpSession): boolean =>
  a.peerAddress === b.peerAddress &&
  a.vrf === b.vrf &&
  a.bgpStatus === b.bgpStatus &&
  a.bfdStatus === b.bfdStatus &&
  a.reason === b.reason &&
  a.since.getTime() === b.since.getTime()

/** Says how the BGP sessions of this node stand: a BGPSessionState for each, written at most every few seconds. */
export class BgpSessionStateWriter implements AsyncDisposable {
  readonly #node: string
  readonly #objects: StatusObjects
  #kept = new Map<string, Kept>()

  constructor(options: ServiceStatusObjectsOptions) {
    this.#node = options.node
    this.#objects = new StatusObjects(options, {
      type: resourceTypes.bgpSessionStates,
      name: 'bgp-session-state',
      labelSelector: `carillon.io/node=${labelValue(options.node)}`,
      // A session that does not come up goes from state to state all the time.
      intervalMs: 5000,
    })
  }

  /** Makes the objects of this node be these. */
  reconcile(sessions: Iterable<BgpSession>): void {
    const kept = new Map<string, Kept>()
    for (const session of sessions) {
      const name = this.#name(session)
      const before = this.#kept.get(name)
      kept.set(name, before && same(before.session, session) ? before : this.#keep(session))
    }
    this.#kept = kept
    this.#objects.reconcile(new Map([...kept].map(([name, { object }]) => [name, object])))
  }

  status(): WriterStatus {
    return this.#objects.status()
  }

  /** Resolves when nothing is left to be written. */
  idle(): Promise<void> {
    return this.#objects.idle()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#objects[Symbol.asyncDispose]()
  }

  /** Readable, and still only one for each node and peer. */
  #name({ peer }: BgpSession): string {
    return `${namePart(this.#node)}-${namePart(peer)}-${digest(this.#node, peer).slice(0, 8)}`
  }

  #keep(session: BgpSession): Kept {
    const { peer, peerAddress, vrf, bgpStatus, bfdStatus, since, reason } = session
    const status: BGPSessionStateStatus = {
      node: this.#node,
      peer,
      ...(peerAddress === undefined ? {} : { peerAddress }),
      ...(vrf === undefined ? {} : { vrf }),
      bgpStatus,
      bfdStatus: bfdStatus ?? 'N/A',
      since: since.toISOString().replace(/\.\d+Z$/, 'Z'),
      ...(reason === undefined ? {} : { reason }),
    }
    const labels = { 'carillon.io/node': labelValue(this.#node), 'carillon.io/peer': labelValue(peer) }
    return { session, object: { labels, status: () => status } }
  }
}
