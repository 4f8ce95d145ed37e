import {
  familiesOf,
  familyOf,
  type NeighborConfig,
  type OriginConfig,
  type RouterConfig,
  routesOf,
} from './router-config.ts'

/** How bgpd calls a neighbour. */
export const frrName = (neighbor: NeighborConfig, index: number): string =>
  neighbor.address ?? (neighbor.range === undefined ? neighbor.interface : undefined) ?? `group${index}`

/** The routes of the configuration that carry attributes, which FRR sets with a route map each. */
const dressed = ({
  communities,
  largeCommunities,
  med,
  localPref,
  asPath,
}: OriginConfig): readonly string[] => [
  ...(communities ? [` set community ${communities.join(' ')}`] : []),
  ...(largeCommunities ? [` set large-community ${largeCommunities.join(' ')}`] : []),
  ...(med === undefined ? [] : [` set metric ${med}`]),
  ...(localPref === undefined ? [] : [` set local-preference ${localPref}`]),
  ...(asPath ? [` set as-path prepend ${asPath.join(' ')}`] : []),
]

const mapName = (prefix: string): string => `origin-${prefix.replaceAll(/[^\w]/g, '-')}`

/** The route map of a route that carries attributes. */
export function originMap(route: OriginConfig): readonly string[] {
  const set = dressed(route)
  return set.length > 0 ? [`route-map ${mapName(route.prefix)} permit 10`, ...set, 'exit'] : []
}

/** The statement that announces a route. */
export const originLine = (route: OriginConfig): string =>
  `network ${route.prefix}${dressed(route).length > 0 ? ` route-map ${mapName(route.prefix)}` : ''}`

function neighborLines(neighbor: NeighborConfig, index: number): readonly string[] {
  const name = frrName(neighbor, index)
  const { interface: link, address, range, bfd, holdTime, localAs, multihop, ttlSecurity } = neighbor
  const say = (...words: readonly (string | number)[]): string => ` neighbor ${name} ${words.join(' ')}`
  return [
    ...(range === undefined ? [] : [say('peer-group')]),
    say(
      address === undefined && range === undefined ? 'interface remote-as' : 'remote-as',
      neighbor.remoteAs,
    ),
    ...(range === undefined ? [] : [` bgp listen range ${range} peer-group ${name}`]),
    ...(address !== undefined && link !== undefined ? [say('interface', link)] : []),
    say('timers connect', 1),
    ...(holdTime === undefined ? [] : [say('timers', Math.floor(holdTime / 3), holdTime)]),
    ...(neighbor.localAddress === undefined ? [] : [say('update-source', neighbor.localAddress)]),
    ...(neighbor.port === undefined ? [] : [say('port', neighbor.port)]),
    ...(neighbor.password === undefined ? [] : [say('password', neighbor.password)]),
    ...(neighbor.passive ? [say('passive')] : []),
    ...(localAs === undefined ? [] : [say('local-as', localAs, 'no-prepend replace-as')]),
    ...(multihop === undefined ? [] : [say('ebgp-multihop', multihop)]),
    ...(ttlSecurity === undefined ? [] : [say('ttl-security hops', ttlSecurity)]),
    ...(bfd ? [say('bfd', bfd.multiplier, bfd.receiveMs, bfd.transmitMs)] : []),
    ...(neighbor.gracefulRestart === 'off' ? [say('graceful-restart-disable')] : []),
    ...(neighbor.gracefulRestart === 'helper' ? [say('graceful-restart-helper')] : []),
    ...(neighbor.gracefulRestart === 'full' ? [say('graceful-restart')] : []),
  ]
}

/** `bgpd.conf`. */
export function frrConfig(config: RouterConfig): string {
  const origins = config.routes ?? []
  const lines = ['hostname lab', 'log stdout', ...origins.flatMap(originMap)]
  lines.push(
    `router bgp ${config.as}`,
    ` bgp router-id ${config.routerId}`,
    ' no bgp ebgp-requires-policy',
    ' no bgp network import-check',
    ' no bgp default ipv4-unicast',
    ' bgp bestpath as-path multipath-relax',
    ...(config.gracefulNotification ? [' bgp graceful-restart notification'] : []),
    ...(config.returning ? [' bgp graceful-restart preserve-fw-state'] : []),
    ...config.neighbors.flatMap(neighborLines),
  )
  for (const family of ['ipv4', 'ipv6'] as const) {
    lines.push(` address-family ${family} unicast`)
    lines.push(...routesOf(config, family).map(route => `  ${originLine(route)}`))
    for (const prefix of (config.aggregates ?? []).filter(one => familyOf(one) === family))
      lines.push(`  aggregate-address ${prefix}`)
    for (const [i, neighbor] of config.neighbors.entries())
      if (familiesOf(neighbor).includes(family)) {
        const name = frrName(neighbor, i)
        lines.push(`  neighbor ${name} activate`, `  neighbor ${name} send-community all`)
      }
    lines.push('  maximum-paths 16', '  maximum-paths ibgp 16', ' exit-address-family')
  }
  return `${lines.join('\n')}\n`
}
