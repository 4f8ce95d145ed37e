import { familiesOf, type NeighborConfig, type OriginConfig, type RouterConfig } from './router-config.ts'

/** Words of `gobgp global rib add` for a route of the configuration. */
export function originWords(route: OriginConfig, nextHop?: string): readonly string[] {
  const { prefix, communities, largeCommunities, med, localPref, asPath } = route
  return [
    ...['global', 'rib', 'add', prefix, '-a', prefix.includes(':') ? 'ipv6' : 'ipv4', 'origin', 'igp'],
    ...(nextHop === undefined ? [] : ['nexthop', nextHop]),
    ...(communities ? ['community', communities.join(',')] : []),
    ...(largeCommunities ? ['large-community', largeCommunities.join(',')] : []),
    ...(med === undefined ? [] : ['med', `${med}`]),
    ...(localPref === undefined ? [] : ['local-pref', `${localPref}`]),
    ...(asPath ? ['aspath', asPath.join(',')] : []),
  ]
}

type Table = Readonly<Record<string, string | number | boolean | undefined>>

/** A table of TOML; what is undefined is left out, and so is a table without content. */
function table(name: string, values: Table): readonly string[] {
  const rows = Object.entries(values).filter(([, value]) => value !== undefined)
  return rows.length === 0
    ? []
    : [`[${name}]`, ...rows.map(([key, value]) => `${key} = ${JSON.stringify(value)}`)]
}

function details(owner: string, neighbor: NeighborConfig, config: RouterConfig): readonly string[] {
  const { holdTime, multihop, ttlSecurity, gracefulRestart = 'off' } = neighbor
  const restart = gracefulRestart !== 'off'
  return [
    ...table(`${owner}.timers.config`, {
      'connect-retry': 1,
      'idle-hold-time-after-reset': 1,
      'hold-time': holdTime,
      'keepalive-interval': holdTime === undefined ? undefined : Math.floor(holdTime / 3),
    }),
    ...table(`${owner}.transport.config`, {
      'local-address': neighbor.localAddress,
      'remote-port': neighbor.port,
      'passive-mode': neighbor.passive,
    }),
    ...table(`${owner}.ebgp-multihop.config`, {
      enabled: multihop === undefined ? undefined : true,
      'multihop-ttl': multihop,
    }),
    ...table(`${owner}.ttl-security.config`, {
      enabled: ttlSecurity === undefined ? undefined : true,
      'ttl-min': ttlSecurity === undefined ? undefined : 256 - ttlSecurity,
    }),
    ...table(`${owner}.graceful-restart.config`, {
      enabled: restart || undefined,
      'helper-only': gracefulRestart === 'helper' || undefined,
      'restart-time': restart ? 120 : undefined,
      'notification-enabled': config.gracefulNotification,
    }),
    ...familiesOf(neighbor).flatMap(family => [
      `[[${owner}.afi-safis]]`,
      ...table(`${owner}.afi-safis.config`, { 'afi-safi-name': `${family}-unicast` }),
      ...table(`${owner}.afi-safis.mp-graceful-restart.config`, { enabled: restart || undefined }),
    ]),
  ]
}

function tables(config: RouterConfig, neighbor: NeighborConfig, index: number): readonly string[] {
  const { address, range, interface: link, remoteAs, localAs, password } = neighbor
  const common = {
    'peer-as': typeof remoteAs === 'number' ? remoteAs : undefined,
    'local-as': localAs,
    'auth-password': password,
  }
  if (range !== undefined) {
    const group = `group${index}`
    return [
      '[[peer-groups]]',
      ...table('peer-groups.config', { 'peer-group-name': group, ...common }),
      ...details('peer-groups', neighbor, config),
      '[[dynamic-neighbors]]',
      ...table('dynamic-neighbors.config', { prefix: range, 'peer-group': group }),
    ]
  }
  const who = { 'neighbor-address': address, 'neighbor-interface': address === undefined ? link : undefined }
  return [
    '[[neighbors]]',
    ...table('neighbors.config', { ...who, ...common }),
    ...details('neighbors', neighbor, config),
  ]
}

/** `gobgpd.toml`. */
export function gobgpConfig(config: RouterConfig): string {
  const { as, routerId, port = 179 } = config
  const lines = [
    ...table('global.config', { as, 'router-id': routerId, port }),
    ...config.neighbors.flatMap((one, i) => tables(config, one, i)),
  ]
  return `${lines.join('\n')}\n`
}
