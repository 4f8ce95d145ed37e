import {
  familiesOf,
  familyOf,
  type NeighborConfig,
  type OriginConfig,
  type RouterConfig,
} from './router-config.ts'

/** An `announce route` for a route of the configuration; IPv6 routes over an IPv4 session need to be told a next hop. */
export function originText(route: OriginConfig, { nextHop6 }: NeighborConfig): string {
  const { prefix, communities, largeCommunities, med, localPref, asPath } = route
  return [
    `route ${prefix} next-hop ${(familyOf(prefix) === 'ipv6' && nextHop6) || 'self'}`,
    ...(communities ? [`community [ ${communities.join(' ')} ]`] : []),
    ...(largeCommunities ? [`large-community [ ${largeCommunities.join(' ')} ]`] : []),
    ...(med === undefined ? [] : [`med ${med}`]),
    ...(localPref === undefined ? [] : [`local-preference ${localPref}`]),
    ...(asPath ? [`as-path [ ${asPath.join(' ')} ]`] : []),
  ].join(' ')
}

function block(config: RouterConfig, neighbor: NeighborConfig): string {
  const { address = '', holdTime, multihop, ttlSecurity, password, port, localAddress } = neighbor
  const families = familiesOf(neighbor)
  const lines = [
    `router-id ${config.routerId};`,
    `local-address ${localAddress ?? 'auto'};`,
    `local-as ${neighbor.localAs ?? config.as};`,
    `peer-as ${neighbor.remoteAs};`,
    ...(holdTime === undefined ? [] : [`hold-time ${holdTime};`]),
    ...(password === undefined ? [] : [`md5-password "${password}";`]),
    ...(port === undefined ? [] : [`connect ${port};`]),
    ...(localAddress === undefined ? [] : [`listen ${config.port ?? 179};`]),
    ...(neighbor.passive ? ['passive true;'] : []),
    ...(multihop === undefined ? [] : [`outgoing-ttl ${multihop};`]),
    ...(ttlSecurity === undefined ? [] : [`outgoing-ttl 255; incoming-ttl ${256 - ttlSecurity};`]),
    `family { ${families.map(family => `${family} unicast;`).join(' ')} }`,
    `capability { asn4 ${neighbor.fourOctetAs === false ? 'disable' : 'enable'}; route-refresh enable; extended-message ${neighbor.extendedMessages ? 'enable' : 'disable'}; ${
      neighbor.gracefulRestart === 'full' ? 'graceful-restart 120;' : ''
    } }`,
    'api { processes [ relay ]; neighbor-changes; receive { parsed; update; open; } }',
  ]
  const own = (config.routes ?? []).filter(({ prefix }) => families.includes(familyOf(prefix)))
  const statics = own.map(route => `    ${originText(route, neighbor)};`)
  if (statics.length > 0) lines.push(`static {\n${statics.join('\n')}\n  }`)
  return `neighbor ${address} {\n  ${lines.join('\n  ')}\n}`
}

/** `exabgp.conf`; `relay` is the command of the process that tells us what it hears. */
export const exabgpConfig = (config: RouterConfig, relay: string): string =>
  [
    `process relay {\n  run ${relay};\n  encoder json;\n}`,
    ...config.neighbors.map(one => block(config, one)),
    '',
  ].join('\n')
