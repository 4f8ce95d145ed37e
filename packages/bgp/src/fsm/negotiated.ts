import { CarillonError } from '@carillon/core'
import { notification } from '../wire/fault.ts'
import { afis, safis } from '../wire/iana.ts'
import type { Capability, NotificationMessage, OpenMessage, RouteFamily } from '../wire/message.ts'
import type { FsmSettings } from './settings.ts'

/** What two speakers have agreed on by their OPENs. */
export interface Negotiated {
  readonly peerAs: number
  /** BGP identifier of the peer. */
  readonly peerRouterId: string
  /** What it calls itself, where it says so. */
  readonly peerHostName?: string
  /** Both are in one AS (iBGP). */
  readonly internal: boolean
  /** What both carry. */
  readonly families: readonly RouteFamily[]
  readonly fourOctetAs: boolean
  /** Messages of up to 65535 octets. */
  readonly extendedMessage: boolean
  readonly routeRefresh: boolean
  readonly enhancedRefresh: boolean
  /** IPv4 prefixes may have an IPv6 next hop. */
  readonly extendedNextHop: boolean
  /** Present when both offer graceful restart: what the peer said. */
  readonly gracefulRestart?: {
    readonly restarting: boolean
    /** Seconds. */
    readonly restartTime: number
    /** Those for which it keeps forwarding while it restarts. */
    readonly families: readonly RouteFamily[]
  }
  /** The smaller of both; 0: none. */
  readonly holdTimeMs: number
  /** 0: none. */
  readonly keepaliveTimeMs: number
}

/** Why a peer's OPEN is not accepted, and what it is told. */
export interface Refusal {
  readonly reason: CarillonError
  readonly notification: NotificationMessage
}

type Named<Name extends Capability['name']> = Extract<Capability, { readonly name: Name }>

const families: readonly RouteFamily[] = ['ipv4', 'ipv6']

const isUnicast = (family: RouteFamily, entry: { readonly afi: number; readonly safi: number }): boolean =>
  entry.afi === afis[family] && entry.safi === safis.unicast

function refuse(
  code: string,
  message: string,
  subcode: 'badPeerAs' | 'badIdentifier' | 'unsupportedCapability',
  data?: Uint8Array,
): Refusal {
  return { reason: new CarillonError(code, message), notification: notification('open', subcode, data) }
}

function checkAs(settings: FsmSettings, as: number): Refusal | undefined {
  const { localAs, remoteAs } = settings
  const is = `the peer is AS ${as}`
  switch (remoteAs) {
    case 'internal':
      if (as === localAs) return undefined
      return refuse('WRONG_PEER_AS', `${is}, where an internal peer has to be AS ${localAs}`, 'badPeerAs')
    case 'external':
      if (as !== localAs) return undefined
      return refuse('WRONG_PEER_AS', `${is}, our own, where an external peer is in another`, 'badPeerAs')
    default:
      if (as === remoteAs) return undefined
      return refuse(
        'WRONG_PEER_AS',
        `${is}, and AS ${remoteAs} is configured: correct one of them`,
        'badPeerAs',
      )
  }
}

/** A multiprotocol capability, code and length included, as RFC 5492 section 5 wants to see what was missing. */
const multiprotocol = (family: RouteFamily): readonly number[] => [1, 4, 0, afis[family], 0, safis.unicast]

function keepaliveOf(settings: FsmSettings, holdTimeMs: number): number {
  const third = holdTimeMs / 3
  return Math.min(settings.keepaliveTimeMs || third, third)
}

/** Compares what we offer with what the peer does (RFC 4271 section 6.2): an agreement, or the reason why there is none. */
export function negotiate(settings: FsmSettings, routerId: string, open: OpenMessage): Negotiated | Refusal {
  const all = <Name extends Capability['name']>(name: Name): readonly Named<Name>[] =>
    open.capabilities.filter((one): one is Named<Name> => one.name === name)
  const has = (name: Capability['name']): boolean => open.capabilities.some(one => one.name === name)

  const peerAs = all('fourOctetAs')[0]?.as ?? open.as
  const wrong = checkAs(settings, peerAs)
  if (wrong) return wrong
  const internal = peerAs === settings.localAs
  // RFC 6286 section 2.2
  if (internal && open.routerId === routerId) {
    return refuse(
      'SAME_ROUTER_ID',
      `the peer has our router ID ${routerId}: give one of the two another routerID`,
      'badIdentifier',
    )
  }
  const offered = all('multiprotocol')
  const carries = (family: RouteFamily): boolean =>
    // Who says nothing of families speaks IPv4 (RFC 4760 section 8).
    offered.length === 0 ? family === 'ipv4' : offered.some(entry => isUnicast(family, entry))
  const common = settings.families.filter(carries)
  if (common.length === 0) {
    const wanted = settings.families.join(' and ')
    return refuse(
      'NO_COMMON_FAMILY',
      `the peer does not carry ${wanted} unicast on this session: activate that family for this neighbour there`,
      'unsupportedCapability',
      Uint8Array.from(settings.families.flatMap(multiprotocol)),
    )
  }
  const holdTimeMs = Math.min(settings.holdTimeMs, open.holdTime * 1000)
  const restart = settings.restartTime === undefined ? undefined : all('gracefulRestart')[0]
  const hostName = all('hostname')[0]?.hostName
  const nextHops = all('extendedNextHop').flatMap(one => one.entries)
  return {
    peerAs,
    peerRouterId: open.routerId,
    ...(hostName ? { peerHostName: hostName } : {}),
    internal,
    families: common,
    fourOctetAs: has('fourOctetAs'),
    extendedMessage: has('extendedMessage'),
    routeRefresh: has('routeRefresh'),
    enhancedRefresh: has('enhancedRouteRefresh'),
    extendedNextHop:
      settings.extendedNextHop &&
      nextHops.some(entry => isUnicast('ipv4', entry) && entry.nextHopAfi === afis.ipv6),
    ...(restart && {
      gracefulRestart: {
        restarting: restart.restarting,
        restartTime: restart.restartTime,
        families: families.filter(family =>
          restart.families.some(entry => isUnicast(family, entry) && entry.forwarding),
        ),
      },
    }),
    holdTimeMs,
    keepaliveTimeMs: keepaliveOf(settings, holdTimeMs),
  }
}
