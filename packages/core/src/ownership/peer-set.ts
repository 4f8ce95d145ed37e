import type { Family } from '../address.ts'
import type { LabelMap, Peer } from '../config/config.ts'
import { matchesAny } from '../config/selector.ts'

/** A BGP peer as far as plans go. */
export interface PlannedPeer {
  readonly name: string
  /** The families whose routes its session carries. */
  readonly families: readonly Family[]
}

const both: readonly Family[] = [4, 6]
const only4: readonly Family[] = [4]
const only6: readonly Family[] = [6]

/**
 * The families whose routes a session with this peer carries: that of its address; both where the peer is
 * found by interface, or has `dualStackAddressFamily`.
 */
export function familiesOf({
  peerAddress,
  dualStackAddressFamily,
}: Pick<Peer, 'peerAddress' | 'dualStackAddressFamily'>): readonly Family[] {
  if (peerAddress === undefined || dualStackAddressFamily) return both
  return peerAddress.includes(':') ? only6 : only4
}

const nobody: readonly PlannedPeer[] = []

/**
 * The BGP peers of a configuration: which of them a node has a session with. Remembers its answers by the
 * identity of the labels.
 */
export class PeerSet {
  /** Equal sets have equal text; what does not matter to plans (timers, passwords) is not in it. */
  readonly text: string
  readonly #peers: readonly Peer[]
  readonly #on = new WeakMap<LabelMap, readonly PlannedPeer[]>()

  constructor(peers: readonly Peer[]) {
    this.#peers = peers
    this.text = PeerSet.textOf(peers)
  }

  static textOf(peers: readonly Peer[]): string {
    return JSON.stringify(
      peers.map(peer => [peer.name, familiesOf(peer), peer.nodeSelectors.map(selector => selector.text)]),
    )
  }

  /** The peers of a node with these labels, by name. */
  on(labels: LabelMap | undefined): readonly PlannedPeer[] {
    if (!labels) return nobody
    let peers = this.#on.get(labels)
    if (!peers) {
      peers = this.#peers
        .filter(({ nodeSelectors }) => matchesAny(nodeSelectors, labels))
        .map(peer => ({ name: peer.name, families: familiesOf(peer) }))
      this.#on.set(labels, peers)
    }
    return peers
  }
}
