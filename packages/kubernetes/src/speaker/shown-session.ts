import type { SessionStatus } from '@carillon/core'
import type { BgpSession } from '../writers/index.ts'

const bgpStates: ReadonlySet<string> = new Set([
  'Idle',
  'Connect',
  'Active',
  'OpenSent',
  'OpenConfirm',
  'Established',
] satisfies BgpSession['bgpStatus'][])

const bfdStates: ReadonlySet<string> = new Set([
  'AdminDown',
  'Down',
  'Init',
  'Up',
] satisfies BgpSession['bfdStatus'][])

const isBgpState = (state: string): state is BgpSession['bgpStatus'] => bgpStates.has(state)
const isBfdState = (state: string): state is NonNullable<BgpSession['bfdStatus']> => bfdStates.has(state)

const isUp = ({ bgpStatus }: BgpSession): boolean => bgpStatus === 'Established'

/**
 * A session as its BGPSessionState shows it. `before`: as it was shown last; one that is tried again and again, and does not come about for the
 * same reason, stays as it was, or every node would write every few seconds while a router is away.
 */
export function shownSession(session: SessionStatus, before?: BgpSession): BgpSession {
  const { peer, address, vrf, state, since, waiting, lastError, bfd } = session
  const where = address ?? session.interface
  const bfdStatus = bfd && `${bfd.state.charAt(0).toUpperCase()}${bfd.state.slice(1)}`.replace('-d', 'D')
  // What it waits for counts seconds down, where it has failed before.
  const reason = state === 'Established' ? undefined : (lastError?.message ?? waiting)
  const now: BgpSession = {
    peer,
    ...(where === undefined ? {} : { peerAddress: where }),
    ...(vrf === undefined ? {} : { vrf }),
    bgpStatus: isBgpState(state) ? state : 'Idle',
    ...(bfdStatus !== undefined && isBfdState(bfdStatus) ? { bfdStatus } : {}),
    since,
    ...(reason === undefined ? {} : { reason }),
  }
  const asBefore = before && !isUp(before) && !isUp(now) && before.reason === reason
  return asBefore && before.bfdStatus === now.bfdStatus ? before : now
}
