import { type Speaker, survivor } from '../fsm/collision.ts'
import type { FsmState, OpenConfirm } from '../fsm/state.ts'

/** One of two connections with the same peer. */
export interface Duellist<State extends FsmState = FsmState> {
  readonly state: State
  /** Who made it; undefined while there is none. */
  readonly by: 'us' | 'peer' | undefined
}

/**
 * Which of two connections has to go, now that the peer's OPEN was accepted on the newer one (RFC 4271 section 6.8). One that is
 * established stays, unless the peer may have restarted (RFC 4724 section 4.2): then the old one is dead, and not yet known to be.
 */
export function loser(newer: Duellist<OpenConfirm>, rival: Duellist, us: Speaker): 'newer' | 'rival' {
  switch (rival.state.name) {
    case 'Established':
      return rival.state.negotiated.gracefulRestart === undefined ? 'newer' : 'rival'
    case 'OpenSent':
    case 'OpenConfirm': {
      const { peerRouterId, peerAs } = newer.state.negotiated
      const stays = survivor(us, { routerId: peerRouterId, as: peerAs })
      return (stays === 'ours') === (newer.by === 'us') ? 'rival' : 'newer'
    }
    default:
      return 'rival'
  }
}
