import type { Knock } from '@carillon/bgp'
import type { SessionDocument } from '@carillon/core'
import { type Finding, findingsOf } from './finding.ts'

const finding = findingsOf('bgp')

/** A peer and how it was knocked at. */
export interface Knocked {
  readonly peer: string
  /** `10.0.0.1:179` */
  readonly at: string
  /** The AS number that is expected; undefined: any. */
  readonly as: number | undefined
  /** TTL that was sent with. */
  readonly ttl: number | undefined
  readonly signed: boolean
  readonly knock: Knock
}

/** A session that the running speaker has stands for its peer: knocking could disturb it. */
export function checkSession({ peer, state, lastError, waiting }: SessionDocument): Finding | undefined {
  if (state === 'Established') return finding(peer, 'ok', 'the running speaker has a session')
  if (state === 'OpenSent' || state === 'OpenConfirm')
    return finding(peer, 'ok', `a session is being opened (${state})`)
  return waiting !== undefined && lastError === undefined ? finding(peer, 'skipped', waiting) : undefined
}

/** What a peer that was not knocked at is told of. */
export const skippedPeer = (peer: string, why: string): Finding => finding(peer, 'skipped', why)

/** Whether a peer can be reached, and what it says. */
export function checkPeer({ peer, at, as, ttl, signed, knock }: Knocked): Finding {
  const hops = ttl === 1 ? '; it is to be one hop away, else set spec.ebgpMultiHop' : ''
  switch (knock.came) {
    case 'open':
      return as === undefined || as === knock.as
        ? finding(peer, 'ok', `${at} speaks BGP: AS ${knock.as}, router id ${knock.routerId}`)
        : finding(
            peer,
            'error',
            `${at} is in AS ${knock.as}, and spec.peerASN says ${as}`,
            'correct spec.peerASN, or the router',
          )
    case 'nothing':
      return finding(peer, 'ok', `${at} accepts the connection and waits for this side to begin`)
    case 'notification':
      return finding(
        peer,
        'warning',
        `${at} refuses the session (NOTIFICATION ${knock.code}/${knock.subcode})`,
        'look at the configuration of the router: is this host a neighbour, by the address it comes from?',
      )
    case 'closed':
      return finding(
        peer,
        'warning',
        `${at} accepts the connection and closes it at once`,
        'make this host a neighbour on the router, by the address it comes from; a router in a hurry may also be just starting',
      )
    case 'noise':
      return finding(peer, 'error', `${at} does not speak BGP`, 'check spec.peerAddress and spec.peerPort')
    case 'error':
      return finding(
        peer,
        'error',
        `${at}: ${errors[knock.code] ?? knock.code}`,
        `${adviceFor(knock.code, signed)}${hops}`,
      )
  }
}

const errors: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there (connection refused)',
  ETIMEDOUT: 'no answer',
  EHOSTUNREACH: 'cannot be reached: nobody has the address on the segment, or no way leads there',
  ENETUNREACH: 'no route leads there',
}

function adviceFor(code: string, signed: boolean): string {
  if (code === 'ECONNREFUSED') return 'start BGP on the router, or correct spec.peerAddress and spec.peerPort'
  if (code === 'ETIMEDOUT')
    return signed
      ? 'let TCP port 179 through; a password that differs from that of the router looks the same'
      : 'let TCP port 179 through; a router that wants a password looks the same (spec.passwordSecret)'
  return 'check the address, the interface and the routes of this host'
}
