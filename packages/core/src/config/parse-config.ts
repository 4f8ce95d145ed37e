import type { IPAddressPool } from '../resources/index.ts'
import type { Snapshot } from '../source/snapshot.ts'
import type { BgpAd, Config, L2Ad, Pool } from './config.ts'
import { localPrefConflict } from './conflict.ts'
import { deepFreeze } from './freeze.ts'
import { missing } from './missing.ts'
import { Nodes } from './nodes.ts'
import { parseBfdProfile } from './parse-bfd-profile.ts'
import {
  blocksOf,
  type ComparableBgpAd,
  type PoolBlocks,
  parseBgpAdvertisement,
  refuseWideAggregates,
} from './parse-bgp-advertisement.ts'
import { parseCommunityAliases } from './parse-communities.ts'
import { parseL2Advertisement } from './parse-l2-advertisement.ts'
import { parsePeer, refuseEchoWithIPv6, refuseEqualSessions, warnOfOneKey } from './parse-peer.ts'
import { type PlainPool, parsePools } from './parse-pools.ts'
import { Secrets } from './password.ts'
import { selectPools } from './pool-selection.ts'
import { compareProblems, type Problem } from './problem.ts'
import { shareConfig } from './share.ts'
import { Spot } from './spot.ts'

/** What came of a snapshot: a valid configuration, or none; and in either case what is wrong with the resources. */
export type ParsedConfig =
  | { readonly config: Config; readonly problems: readonly Problem[] }
  | { readonly config: undefined; readonly problems: readonly Problem[] }

interface Named {
  readonly kind: string
  readonly metadata: { readonly name: string }
}

const spotOf = (problems: Problem[]) => {
  return ({ kind, metadata }: Named): Spot => new Spot(problems, kind, metadata.name)
}

/** In name order, each name once; a name that comes again is an error. */
function byName<T extends Named>(objects: readonly T[], spot: (object: T) => Spot): readonly T[] {
  const first = new Map<string, T>()
  const repeated = new Set<string>()
  for (const object of objects) {
    const { name } = object.metadata
    if (!first.has(name)) first.set(name, object)
    else if (!repeated.has(name)) {
      repeated.add(name)
      spot(object)
        .at('metadata')
        .at('name')
        .error('there are several objects of this kind and name: keep one')
    }
  }
  return [...first.values()].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
}

interface PlacedBgpAd {
  readonly ad: ComparableBgpAd
  readonly pools: readonly PlainPool[]
  readonly spot: Spot
}

/**
 * Refuses advertisements that give one route two local preferences. Those with service selectors are left to the moment
 * at which it is known which Services they select.
 */
function refuseLocalPrefConflicts(ads: readonly PlacedBgpAd[], nodes: Nodes): void {
  const candidates = ads.filter(({ ad }) => ad.serviceSelectors.length === 0)
  const poolsOf = new Map(candidates.map(({ ad, pools }) => [ad, new Set(pools)]))
  for (const [i, later] of candidates.entries()) {
    for (const earlier of candidates.slice(0, i)) {
      if (earlier.ad.localPref === later.ad.localPref) continue
      if (!nodes.share(earlier.ad.nodeSelectors, later.ad.nodeSelectors)) continue
      const pool = later.pools.find(
        candidate =>
          poolsOf.get(earlier.ad)?.has(candidate) &&
          localPrefConflict(earlier.ad, later.ad, candidate, false),
      )
      if (!pool) continue
      later.spot
        .at('localPref')
        .error(
          `${later.ad.localPref} contradicts ${earlier.ad.localPref} of BGPAdvertisement "${earlier.ad.name}" for the same routes of IPAddressPool "${pool.name}": set both alike, or set the two apart by peers, nodeSelectors or aggregation length`,
        )
    }
  }
}

function attached<Ad>(
  ads: readonly { readonly ad: Ad; readonly pools: readonly PlainPool[] }[],
): Map<PlainPool, Ad[]> {
  const byPool = new Map<PlainPool, Ad[]>()
  for (const { ad, pools } of ads) {
    for (const pool of pools) {
      const list = byPool.get(pool)
      if (list) list.push(ad)
      else byPool.set(pool, [ad])
    }
  }
  return byPool
}

const noPasswords: ReadonlyMap<string, string> = new Map()

function read(
  snapshot: Snapshot,
  nodes: Nodes,
  secrets: Secrets,
  previous: Config | undefined,
): ParsedConfig {
  const { passwords = noPasswords } = snapshot
  const problems: Problem[] = []
  const spot = spotOf(problems)
  const broken = new Set(
    snapshot.problems
      .filter(({ severity }) => severity === 'error')
      .map(({ kind, name }) => `${kind} ${name}`),
  )
  // Where Secrets as such could not be read, any of them may be there.
  const isUnreadable = (kind: string, name: string): boolean =>
    broken.has(`${kind} ${name}`) || (kind === 'Secret' && broken.has('Secret '))

  const poolResources = byName<IPAddressPool>(snapshot.pools, spot)
  const pools = parsePools(poolResources, spot)
  const poolNames = new Set(pools.map(({ name }) => name))
  const isKnownPool = (name: string): boolean => poolNames.has(name) || isUnreadable('IPAddressPool', name)

  const l2Ads = byName(snapshot.l2Advertisements, spot).map(resource => {
    const at = spot(resource).at('spec')
    return {
      ad: parseL2Advertisement(resource, at),
      pools: selectPools(resource.spec, pools, isKnownPool, at),
    }
  })

  const aliases = parseCommunityAliases(byName(snapshot.communities, spot), spot)
  const aliasesIncomplete = [...broken].some(key => key.startsWith('Community '))
  const peerNames = new Set(snapshot.bgpPeers.map(({ metadata }) => metadata.name))
  const blocks = new Map(pools.map(pool => [pool, blocksOf(pool)]))
  const bgpAds = byName(snapshot.bgpAdvertisements, spot).map((resource): PlacedBgpAd => {
    const at = spot(resource).at('spec')
    const ad = parseBgpAdvertisement(resource, { aliases, aliasesIncomplete, peerNames, isUnreadable }, at)
    const selected = selectPools(resource.spec, pools, isKnownPool, at)
    for (const pool of selected) refuseWideAggregates(ad, pool.name, blocks.get(pool) as PoolBlocks, at)
    return { ad, pools: selected, spot: at }
  })
  refuseLocalPrefConflicts(bgpAds, nodes)

  const bfdProfiles = new Map(
    byName(snapshot.bfdProfiles, spot).map(resource => {
      const profile = parseBfdProfile(resource, spot(resource).at('spec'))
      return [profile.name, profile]
    }),
  )
  const peers = byName(snapshot.bgpPeers, spot).map(resource => {
    const whole = spot(resource)
    const peer = parsePeer(resource, { secrets, passwords, bfdProfiles, isUnreadable }, whole)
    return { peer, spot: whole.at('spec') }
  })
  for (const name of passwords.keys()) {
    if (peerNames.has(name) || isUnreadable('BGPPeer', name)) continue
    new Spot(problems, 'BGPPeer', name).warning(
      `${missing('BGPPeer', name, peerNames)}: a password file is given for it, which is not used`,
    )
  }
  refuseEqualSessions(peers, nodes)
  warnOfOneKey(peers, nodes)
  refuseEchoWithIPv6(peers, bfdProfiles, bgpAds)

  const given = snapshot.problems.map(problem => ({ ...problem }))
  const all = [...given, ...problems.sort(compareProblems)]
  if (all.some(({ severity }) => severity === 'error'))
    return deepFreeze({ config: undefined, problems: all })
  const l2ByPool = attached<L2Ad>(l2Ads)
  const bgpByPool = attached<BgpAd>(bgpAds)
  const config: Config = {
    pools: pools.map(
      (pool): Pool => ({
        ...pool,
        l2Advertisements: l2ByPool.get(pool) ?? [],
        bgpAdvertisements: bgpByPool.get(pool) ?? [],
      }),
    ),
    peers: peers.map(({ peer }) => peer),
    bfdProfiles,
  }
  return deepFreeze({ config: previous ? shareConfig(previous, config) : config, problems: all })
}

/** The lists of which any change is read anew. */
const watched = [
  'pools',
  'l2Advertisements',
  'bgpAdvertisements',
  'bgpPeers',
  'bfdProfiles',
  'communities',
  'problems',
] as const satisfies readonly (keyof Snapshot)[]

const sameItems = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a === b || (a.length === b.length && a.every((item, i) => item === b[i]))

/** Nodes change all the time; only their names and labels are read here. */
function sameLabels(a: Snapshot['nodes'], b: Snapshot['nodes']): boolean {
  if (a === b) return true
  if (a.length !== b.length) return false
  return a.every((node, i) => {
    const other = b[i] as typeof node
    if (node === other) return true
    const [labels, others] = [node.metadata.labels, other.metadata.labels]
    const keys = Object.keys(labels)
    return (
      node.metadata.name === other.metadata.name &&
      keys.length === Object.keys(others).length &&
      keys.every(key => labels[key] === others[key])
    )
  })
}

interface Reading {
  readonly snapshot: Snapshot
  readonly nodes: Nodes
  readonly secrets: Secrets
  readonly result: ParsedConfig
}

/**
 * Reads configurations, and gives the very same result again while nothing that it depends on has changed: the
 * `metallb.io` objects, the labels of Nodes where they decided something, the Secrets that peers name, the
 * passwords that are given beside them. When they have changed,
 * what is equal to its part of the last valid configuration is the same object as there, up to the whole of it.
 */
export class ConfigParser {
  #last: Reading | undefined
  #config: Config | undefined

  parse(snapshot: Snapshot): ParsedConfig {
    if (this.#last && this.#holds(this.#last, snapshot)) return this.#last.result
    const nodes = new Nodes(snapshot.nodes)
    const secrets = new Secrets(snapshot.secrets)
    const result = read(snapshot, nodes, secrets, this.#config)
    this.#config = result.config ?? this.#config
    this.#last = { snapshot, nodes, secrets, result }
    return result
  }

  #holds({ snapshot: last, nodes, secrets }: Reading, snapshot: Snapshot): boolean {
    if (!watched.every(list => sameItems(last[list], snapshot[list]))) return false
    if (last.passwords !== snapshot.passwords) return false
    if (nodes.consulted && !sameLabels(last.nodes, snapshot.nodes)) return false
    return last.secrets === snapshot.secrets || secrets.sameAnswers(new Secrets(snapshot.secrets))
  }
}

/**
 * Turns resources into a configuration, frozen and in name order, or says everything that is wrong with them: first the
 * snapshot's own problems, then those found here by kind, name and field. Any `error` leaves no configuration.
 */
export function parseConfig(snapshot: Snapshot): ParsedConfig {
  return new ConfigParser().parse(snapshot)
}
