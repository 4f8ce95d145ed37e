import type { SessionStatus } from '@carillon/core'
import { describe, expect, it } from 'vitest'
import { shownSession } from './shown-session.ts'

const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds))
const error = (message: string) => ({ at: at(0), code: 'PEER_UNREACHABLE', message })
const session = (changes: Partial<SessionStatus>): SessionStatus =>
  ({ peer: 'tor', address: '10.0.0.1', state: 'Active', since: at(0), ...changes }) as SessionStatus

describe('a session that does not come about', () => {
  const first = shownSession(
    session({ waiting: 'connecting again in 4 s', lastError: error('nobody listens') }),
  )

  it('is shown with what went wrong, and without a countdown', () => {
    expect(first).toEqual({
      peer: 'tor',
      peerAddress: '10.0.0.1',
      bgpStatus: 'Active',
      since: at(0),
      reason: 'nobody listens',
    })
  })

  it('stays as it is while it is tried in vain, for the same reason', () => {
    const again = session({ state: 'Connect', since: at(5), lastError: error('nobody listens') })
    expect(shownSession(again, first)).toBe(first)
  })

  it('is another one for another reason, another state of BFD, and once it is up', () => {
    const other = session({ since: at(5), lastError: error('the peer did not answer') })
    expect(shownSession(other, first)).toMatchObject({ reason: 'the peer did not answer', since: at(5) })
    const watched = session({
      lastError: error('nobody listens'),
      bfd: { state: 'admin-down', since: at(3) },
    })
    expect(shownSession(watched, first)).toMatchObject({ bfdStatus: 'AdminDown' })
    const up = shownSession(session({ state: 'Established', since: at(9) }), first)
    expect(up).toEqual({ peer: 'tor', peerAddress: '10.0.0.1', bgpStatus: 'Established', since: at(9) })
    expect(shownSession(session({ since: at(12), lastError: error('nobody listens') }), up)).toMatchObject({
      since: at(12),
    })
  })
})

it('one that waits for its peer says so', () => {
  const waiting = 'waiting for the peer to connect'
  expect(shownSession(session({ waiting }))).toMatchObject({ reason: waiting })
})
