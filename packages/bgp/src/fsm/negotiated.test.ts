import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Capability, OpenMessage } from '../wire/message.ts'
import { survivor } from './collision.ts'
import { type Negotiated, negotiate, type Refusal } from './negotiated.ts'
import { openOf } from './open.ts'
import type { FsmSettings } from './settings.ts'

const settings: FsmSettings = {
  localAs: 65001,
  remoteAs: 65002,
  families: ['ipv4', 'ipv6'],
  extendedNextHop: true,
  holdTimeMs: 90_000,
  connectTimeoutMs: 10_000,
  retry: { firstMs: 250, longestMs: 5000 },
  errorRetry: { firstMs: 1000, longestMs: 30_000 },
  passive: false,
  delayOpenMs: 0,
  restartTime: 120,
  hostName: 'node-a',
}
const us = { routerId: '10.0.0.1', restarting: false }

const open = (capabilities: readonly Capability[], change: Partial<OpenMessage> = {}): OpenMessage => ({
  type: 'open',
  version: 4,
  as: 65002,
  holdTime: 180,
  routerId: '10.0.0.2',
  capabilities,
  ...change,
})

const agree = (message: OpenMessage, change: Partial<FsmSettings> = {}): Negotiated => {
  const outcome = negotiate({ ...settings, ...change }, us.routerId, message)
  if ('reason' in outcome) throw outcome.reason
  return outcome
}
const refuse = (message: OpenMessage, change: Partial<FsmSettings> = {}): Refusal => {
  const outcome = negotiate({ ...settings, ...change }, us.routerId, message)
  if (!('reason' in outcome)) throw new Error('it was accepted')
  return outcome
}

describe('what two OPENs agree on', () => {
  it('is everything, between two speakers of ours', () => {
    const theirs = openOf(
      { ...settings, localAs: 65002, remoteAs: 65001, hostName: 'router' },
      { routerId: '10.0.0.2', restarting: true },
    )
    expect(agree(theirs)).toEqual({
      peerAs: 65002,
      peerRouterId: '10.0.0.2',
      peerHostName: 'router',
      internal: false,
      families: ['ipv4', 'ipv6'],
      fourOctetAs: true,
      extendedMessage: true,
      routeRefresh: true,
      enhancedRefresh: true,
      extendedNextHop: true,
      gracefulRestart: { restarting: true, restartTime: 120, families: ['ipv4', 'ipv6'] },
      holdTimeMs: 90_000,
      keepaliveTimeMs: 30_000,
    })
  })

  it('is plain IPv4 with a speaker that has no capabilities', () => {
    expect(agree(open([]))).toEqual({
      peerAs: 65002,
      peerRouterId: '10.0.0.2',
      internal: false,
      families: ['ipv4'],
      fourOctetAs: false,
      extendedMessage: false,
      routeRefresh: false,
      enhancedRefresh: false,
      extendedNextHop: false,
      holdTimeMs: 90_000,
      keepaliveTimeMs: 30_000,
    })
  })

  it('has the smaller hold time, none if either wants none, and KEEPALIVEs at a third of it at least', () => {
    const times = (ours: number, theirs: number, keepaliveTimeMs?: number): readonly number[] => {
      const agreed = agree(open([], { holdTime: theirs }), {
        holdTimeMs: ours,
        ...(keepaliveTimeMs !== undefined && { keepaliveTimeMs }),
      })
      return [agreed.holdTimeMs, agreed.keepaliveTimeMs]
    }
    expect(times(90_000, 30)).toEqual([30_000, 10_000])
    expect(times(9000, 180)).toEqual([9000, 3000])
    expect(times(0, 180)).toEqual([0, 0])
    expect(times(90_000, 0)).toEqual([0, 0])
    expect(times(90_000, 180, 5000)).toEqual([90_000, 5000])
    expect(times(90_000, 9, 30_000)).toEqual([9000, 3000])
    expect(times(90_000, 180, 0)).toEqual([90_000, 30_000])
  })

  it('has an IPv6 next hop for IPv4 only where the peer can take it, and we want it', () => {
    const entry = { afi: 1, safi: 1, nextHopAfi: 2 }
    const offer: Capability = { name: 'extendedNextHop', entries: [entry] }
    expect(agree(open([offer])).extendedNextHop).toBe(true)
    expect(agree(open([offer]), { extendedNextHop: false }).extendedNextHop).toBe(false)
    expect(agree(open([{ ...offer, entries: [{ ...entry, afi: 2 }] }])).extendedNextHop).toBe(false)
  })

  it('keeps the routes of those families that the peer claims to forward, where both offer it', () => {
    const families = [
      { afi: 1, safi: 1, forwarding: true },
      { afi: 2, safi: 1, forwarding: false },
      { afi: 1, safi: 4, forwarding: true },
    ]
    const offer: Capability = {
      name: 'gracefulRestart',
      restarting: false,
      notification: true,
      restartTime: 60,
      families,
    }
    expect(agree(open([offer])).gracefulRestart).toEqual({
      restarting: false,
      restartTime: 60,
      families: ['ipv4'],
    })
    const { restartTime: _, ...without } = settings
    const outcome = negotiate(without, us.routerId, open([offer]))
    expect('gracefulRestart' in outcome).toBe(false)
  })
})

describe('an OPEN is refused', () => {
  const fourOctets = (as: number): OpenMessage =>
    open([{ name: 'fourOctetAs', as }], { as: as > 0xffff ? 23456 : as })

  it('of another AS than the one that is configured, by what the capability says', () => {
    expect(refuse(fourOctets(65003))).toMatchObject({
      reason: {
        code: 'WRONG_PEER_AS',
        message: 'the peer is AS 65003, and AS 65002 is configured: correct one of them',
      },
      notification: { code: 2, subcode: 2 },
    })
    expect(refuse(open([], { as: 23456 }), { remoteAs: 4_200_000_000 }).reason.code).toBe('WRONG_PEER_AS')
    expect(agree(fourOctets(4_200_000_000), { remoteAs: 4_200_000_000 }).peerAs).toBe(4_200_000_000)
  })

  it('of the wrong kind of AS, where any of a kind will do', () => {
    expect(refuse(fourOctets(65002), { remoteAs: 'internal' }).reason.message).toBe(
      'the peer is AS 65002, where an internal peer has to be AS 65001',
    )
    expect(refuse(fourOctets(65001), { remoteAs: 'external' }).reason.message).toBe(
      'the peer is AS 65001, our own, where an external peer is in another',
    )
    expect(agree(fourOctets(65001), { remoteAs: 'internal' }).internal).toBe(true)
    expect(agree(fourOctets(65002), { remoteAs: 'external' }).internal).toBe(false)
  })

  it('with our router ID within our AS, and not from another AS', () => {
    const same = { routerId: us.routerId }
    expect(refuse(open([], { ...same, as: 65001 }), { remoteAs: 65001 })).toMatchObject({
      reason: { code: 'SAME_ROUTER_ID' },
      notification: { code: 2, subcode: 3 },
    })
    expect(agree(open([], same)).peerRouterId).toBe(us.routerId)
  })

  it('without a family of ours, with the capability that was missing', () => {
    const vpn: Capability = { name: 'multiprotocol', afi: 1, safi: 128 }
    expect(refuse(open([vpn]), { families: ['ipv6'] })).toEqual({
      reason: expect.objectContaining({
        code: 'NO_COMMON_FAMILY',
        message:
          'the peer does not carry ipv6 unicast on this session: activate that family for this neighbour there',
      }),
      notification: { type: 'notification', code: 2, subcode: 7, data: Uint8Array.of(1, 4, 0, 2, 0, 1) },
    })
    expect(refuse(open([]), { families: ['ipv6'] }).reason.code).toBe('NO_COMMON_FAMILY')
  })
})

describe('our OPEN', () => {
  it('hides an AS of four octets where two are wanted', () => {
    expect(openOf({ ...settings, localAs: 65536 }, us)).toMatchObject({
      as: 23456,
      capabilities: expect.arrayContaining([{ name: 'fourOctetAs', as: 65536 }]),
    })
    expect(openOf({ ...settings, localAs: 65535 }, us).as).toBe(65535)
  })

  it('offers graceful restart, IPv6 next hops and a name only where that is wanted', () => {
    const { restartTime: _, hostName: __, ...plain } = settings
    const { capabilities } = openOf({ ...plain, extendedNextHop: false, families: ['ipv6'] }, us)
    expect(capabilities).toEqual([
      { name: 'multiprotocol', afi: 2, safi: 1 },
      { name: 'routeRefresh' },
      { name: 'enhancedRouteRefresh' },
      { name: 'extendedMessage' },
      { name: 'fourOctetAs', as: 65001 },
    ])
  })
})

describe('of two connections', () => {
  const speaker = fc.record({ routerId: fc.ipV4(), as: fc.integer({ min: 1, max: 0xffffffff }) })

  it('both sides keep the same one', () => {
    fc.assert(
      fc.property(speaker, speaker, (a, b) => {
        fc.pre(a.routerId !== b.routerId || a.as !== b.as)
        expect(survivor(a, b)).not.toBe(survivor(b, a))
      }),
    )
  })

  it('that of the higher router ID stays, as a number, then that of the higher AS', () => {
    expect(survivor({ routerId: '9.0.0.1', as: 1 }, { routerId: '10.0.0.1', as: 1 })).toBe('theirs')
    expect(survivor({ routerId: '200.0.0.1', as: 1 }, { routerId: '30.0.0.1', as: 2 })).toBe('ours')
    expect(survivor({ routerId: '10.0.0.1', as: 3 }, { routerId: '10.0.0.1', as: 2 })).toBe('ours')
  })
})
