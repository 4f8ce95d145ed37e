import { familyOf, formatAddress, tryParseAddress } from '../address.ts'
import { type BGPPeer, tryParseDuration } from '../resources/index.ts'
import type { AddressEntry, BfdProfile, BgpAd, Peer } from './config.ts'
import { sessionKey } from './conflict.ts'
import { missing } from './missing.ts'
import type { Nodes } from './nodes.ts'
import { type PasswordSources, resolvePassword } from './password.ts'
import { parsePeerAnnotations, ttlSecuritySpot } from './peer-annotations.ts'
import { type CompiledSelector, compileSelectors } from './selector.ts'
import type { Spot } from './spot.ts'

/** What a peer may refer to. */
export interface PeerReferences extends PasswordSources {
  readonly bfdProfiles: ReadonlyMap<string, BfdProfile>
  /** True for an object that exists and could not be read: nothing is said about references to it. */
  isUnreadable(kind: string, name: string): boolean
}

/** A peer whose node selectors can be compared with those of another. */
export type ComparablePeer = Peer & { readonly nodeSelectors: readonly CompiledSelector[] }

type Spec = BGPPeer['spec']
type Address = Pick<Peer, 'peerAddress' | 'interface' | 'sourceAddress' | 'vrf' | 'peerPort'>
type Timers = Pick<Peer, 'holdTimeMs' | 'keepaliveTimeMs' | 'connectTimeMs'>
type AsNumbers = Pick<Peer, 'myAsn' | 'peerAsn' | 'localAsn' | 'dynamicAsn'>

const isAsn = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= 0xffffffff

function parseAsNumbers(spec: Spec, spot: Spot): AsNumbers {
  const { myASN, peerASN = 0, localASN, dynamicASN, ebgpMultiHop } = spec
  const check = (field: 'myASN' | 'peerASN' | 'localASN', value: number): void => {
    if (!isAsn(value)) spot.at(field).error(`${value} is not an AS number: it must be from 1 to 4294967295`)
  }
  check('myASN', myASN)
  if (localASN !== undefined) check('localASN', localASN)
  // 0 is how a client that always writes the field leaves it out.
  if (peerASN !== 0) check('peerASN', peerASN)
  if (dynamicASN !== undefined && dynamicASN !== 'internal' && dynamicASN !== 'external') {
    spot.at('dynamicASN').error(`"${String(dynamicASN)}" is no kind of peer: use internal or external`)
  }
  if (peerASN === 0 && dynamicASN === undefined) {
    spot
      .at('peerASN')
      .error('is missing: give the AS number of the peer, or dynamicASN (internal or external)')
  } else if (peerASN !== 0 && dynamicASN !== undefined) {
    spot.at('dynamicASN').error('peerASN and dynamicASN exclude each other: remove one of them')
  }
  if (ebgpMultiHop && peerASN === myASN) {
    spot
      .at('ebgpMultiHop')
      .error(
        'is for peers in another AS, and peerASN is myASN: remove it, since sessions within an AS may be multi-hop anyway',
      )
  }
  return {
    myAsn: myASN,
    ...(peerASN !== 0 && { peerAsn: peerASN }),
    ...(localASN !== undefined && { localAsn: localASN }),
    ...(dynamicASN !== undefined && { dynamicAsn: dynamicASN }),
  }
}

function parseLiteral(text: string | undefined, spot: Spot): string | undefined {
  if (!text) return undefined
  const bytes = tryParseAddress(text)
  if (!bytes) spot.error(`"${text}" is not an IP address`)
  return bytes && formatAddress(bytes)
}

function parseAddresses(spec: Spec, spot: Spot): Address {
  const { interface: device, vrf, peerPort } = spec
  const peerAddress = parseLiteral(spec.peerAddress, spot.at('peerAddress'))
  const sourceAddress = parseLiteral(spec.sourceAddress, spot.at('sourceAddress'))
  if (!spec.peerAddress && !device) {
    spot.at('peerAddress').error('is missing: give the address of the peer, or the interface to find it on')
  } else if (spec.peerAddress && device) {
    spot.at('interface').error('peerAddress and interface exclude each other: remove one of them')
  }
  if (peerAddress && sourceAddress && familyOf(peerAddress) !== familyOf(sourceAddress)) {
    spot
      .at('sourceAddress')
      .warning(
        `${sourceAddress} cannot reach ${peerAddress}, which is of the other family: the session will not come up`,
      )
  }
  if (!(Number.isInteger(peerPort) && peerPort >= 0 && peerPort <= 65535)) {
    spot.at('peerPort').error(`${peerPort} is no TCP port: it must be from 1 to 65535`)
  }
  return {
    ...(peerAddress && { peerAddress }),
    ...(device && { interface: device }),
    ...(sourceAddress && { sourceAddress }),
    ...(vrf && { vrf }),
    // A v1beta1 object may say 0, which is the default too.
    peerPort: peerPort === 0 ? 179 : peerPort,
  }
}

function parseMs(text: string | undefined, spot: Spot): number | undefined {
  if (text === undefined) return undefined
  const ms = tryParseDuration(text)
  if (ms === undefined) spot.error(`"${text}" is not a duration: write a number and a unit, such as 90s`)
  else if (ms < 0) spot.error(`${text} is negative`)
  else return ms
  return undefined
}

function parseTimers(spec: Spec, spot: Spot): Timers {
  const hold = parseMs(spec.holdTime, spot.at('holdTime'))
  const keepalive = parseMs(spec.keepaliveTime, spot.at('keepaliveTime'))
  const connect = parseMs(spec.connectTime, spot.at('connectTime'))
  if (connect !== undefined && !(connect % 1000 === 0 && connect >= 1000 && connect <= 65_535_000)) {
    spot
      .at('connectTime')
      .error(`${spec.connectTime} will not do: it must be whole seconds, from 1s to 65535s`)
  }
  const connectTime = connect === undefined ? {} : { connectTimeMs: connect }
  const proposed = hold ?? (keepalive === undefined ? undefined : 3 * keepalive)
  if (proposed === undefined) return connectTime
  // An OPEN carries whole seconds (RFC 4271 section 4.2), 0 for no hold timer at all.
  const holdTimeMs = Math.trunc(proposed / 1000) * 1000
  const [at, written] =
    hold === undefined
      ? [
          spot.at('keepaliveTime'),
          `${spec.keepaliveTime} makes a hold time of ${proposed / 1000}s, three times as long, which`,
        ]
      : [spot.at('holdTime'), `${spec.holdTime}`]
  if (holdTimeMs !== 0 && holdTimeMs < 3000) {
    at.error(`${written} is too short: the hold time must be 0s for none, or at least 3s`)
  } else if (holdTimeMs > 65_535_000) at.error(`${written} is too long: the hold time can be at most 65535s`)
  if (keepalive !== undefined && keepalive > proposed) {
    spot
      .at('keepaliveTime')
      .error(`${spec.keepaliveTime} is longer than the hold time of ${spec.holdTime}: a third of it is usual`)
  }
  return { ...connectTime, holdTimeMs, keepaliveTimeMs: Math.min(keepalive ?? proposed / 3, holdTimeMs) }
}

function parseRouterId(text: string | undefined, spot: Spot): string | undefined {
  const id = parseLiteral(text, spot)
  if (id === undefined) return undefined
  if (familyOf(id) === 6) {
    spot.error(
      `${id} is an IPv6 address, and a BGP identifier has 4 bytes: write it as an IPv4 address, or leave it out`,
    )
  } else if (id === '0.0.0.0') spot.error('0.0.0.0 is no BGP identifier: give another one, or leave it out')
  return id
}

function parseBfd(spec: Spec, { bfdProfiles, isUnreadable }: PeerReferences, spot: Spot): string | undefined {
  const name = spec.bfdProfile
  if (!name) return undefined
  const profile = bfdProfiles.get(name)
  if (!profile) {
    if (!isUnreadable('BFDProfile', name)) {
      spot.error(`${missing('BFDProfile', name, bfdProfiles.keys())}: create it, or remove the field`)
    }
  } else if (profile.echoMode && spec.ebgpMultiHop) {
    spot.warning(`BFDProfile "${name}" has echoMode, which is not used over several hops (RFC 5883)`)
  }
  return name
}

/** Reads a BGPPeer of version v1beta2; `whole` is the object. */
export function parsePeer(
  { metadata, spec, ...rest }: BGPPeer,
  references: PeerReferences,
  whole: Spot,
): ComparablePeer {
  const spot = whole.at('spec')
  const annotations = whole.at('metadata').at('annotations')
  const extras = parsePeerAnnotations(metadata.annotations, annotations)
  if (extras.ttlSecurity !== undefined && spec.ebgpMultiHop) {
    ttlSecuritySpot(annotations).error(
      'and ebgpMultiHop exclude each other: remove ebgpMultiHop, and write here how many hops there are',
    )
  }
  if (spec.disableMP) spot.at('disableMP').warning('is deprecated and has no effect: remove it')
  const password = resolvePassword({ metadata, spec, ...rest }, references, spot)
  const routerId = parseRouterId(spec.routerID, spot.at('routerID'))
  const bfdProfile = parseBfd(spec, references, spot.at('bfdProfile'))
  return {
    name: metadata.name,
    ...parseAsNumbers(spec, spot),
    ...parseAddresses(spec, spot),
    ...parseTimers(spec, spot),
    ...(routerId && { routerId }),
    nodeSelectors: compileSelectors(spec.nodeSelectors, spot.at('nodeSelectors')),
    ...(password && { password }),
    ...(bfdProfile && { bfdProfile }),
    gracefulRestart: spec.enableGracefulRestart ?? false,
    ebgpMultiHop: spec.ebgpMultiHop ?? false,
    dualStackAddressFamily: spec.dualStackAddressFamily,
    ...extras,
  }
}

/** Refuses peers, given in name order, that one node would have to serve with the very same session. */
export function refuseEqualSessions(
  peers: readonly { readonly peer: ComparablePeer; readonly spot: Spot }[],
  nodes: Nodes,
): void {
  const byKey = new Map<string, ComparablePeer[]>()
  for (const { peer, spot } of peers) {
    if (!peer.peerAddress && !peer.interface) continue
    const key = sessionKey(peer)
    const earlier = byKey.get(key) ?? []
    const rival = earlier.find(other => nodes.share(other.nodeSelectors, peer.nodeSelectors))
    if (rival) {
      const where = peer.peerAddress
        ? `${peer.peerAddress} port ${peer.peerPort}`
        : `the peer on ${peer.interface}`
      spot
        .at(peer.peerAddress ? 'peerAddress' : 'interface')
        .error(
          `BGPPeer "${rival.name}" is a session with ${where} too, on the same nodes: remove one, or set them apart by nodeSelectors, vrf or sourceAddress`,
        )
    }
    byKey.set(key, [...earlier, peer])
  }
}

/**
 * Warns of peers, given in name order, of which a node can let only some in. A listener tells the keys of connections apart by the address
 * of the other end alone (and by the VRF), and where two peers want different ones there, it has that of the first which is passive.
 */
export function warnOfOneKey(
  peers: readonly { readonly peer: ComparablePeer; readonly spot: Spot }[],
  nodes: Nodes,
): void {
  const called = peers.filter(({ peer }) => peer.passive && peer.peerAddress)
  for (const [i, { peer, spot }] of called.entries()) {
    const { peerAddress, vrf, password, nodeSelectors } = peer
    const heard = called
      .slice(0, i)
      .find(
        ({ peer: other }) =>
          other.peerAddress === peerAddress &&
          other.vrf === vrf &&
          other.password !== password &&
          nodes.share(other.nodeSelectors, nodeSelectors),
      )
    if (!heard) continue
    spot
      .at('peerAddress')
      .warning(
        `BGPPeer "${heard.peer.name}" is at ${peerAddress} too, with another password, and both wait for the router to connect: only "${heard.peer.name}" can be let in, since a listener has one key for each address; give both the same password, or let one dial`,
      )
  }
}

/** An advertisement with the pools that it announces. */
interface Announced {
  readonly ad: Pick<BgpAd, 'name' | 'peers'>
  readonly pools: readonly { readonly name: string; readonly entries: readonly AddressEntry[] }[]
}

/** Refuses BFD with echo towards peers that are told of IPv6 addresses, as MetalLB does: FRR has no echo for them. */
export function refuseEchoWithIPv6(
  peers: readonly { readonly peer: ComparablePeer; readonly spot: Spot }[],
  bfdProfiles: ReadonlyMap<string, BfdProfile>,
  announced: readonly Announced[],
): void {
  for (const { peer, spot } of peers) {
    if (peer.bfdProfile === undefined || !bfdProfiles.get(peer.bfdProfile)?.echoMode) continue
    for (const { ad, pools } of announced) {
      if (ad.peers.length > 0 && !ad.peers.includes(peer.name)) continue
      const pool = pools.find(({ entries }) =>
        entries.some(({ cidrs }) => cidrs.some(({ family }) => family === 6)),
      )
      if (!pool) continue
      spot
        .at('bfdProfile')
        .error(
          `BFDProfile "${peer.bfdProfile}" has echoMode, and BGPAdvertisement "${ad.name}" announces IPv6 addresses of IPAddressPool "${pool.name}" to this peer: switch echoMode off, or name other peers in the advertisement`,
        )
      break
    }
  }
}
