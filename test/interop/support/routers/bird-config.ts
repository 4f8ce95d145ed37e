import {
  familiesOf,
  familyOf,
  type NeighborConfig,
  type OriginConfig,
  type RouterConfig,
  routesOf,
} from './router-config.ts'

/** How BIRD calls the protocol of a neighbour; one that is told a range numbers those that come. */
export const birdName = (index: number): string => `n${index}`

const tuple = (community: string): string => `(${community.split(':').join(',')})`

/** What an export filter does to a route of the configuration. */
const dress = ({ prefix, communities, largeCommunities, med, localPref, asPath }: OriginConfig): string => {
  const acts = [
    ...(communities ?? []).map(one => `bgp_community.add(${tuple(one)});`),
    ...(largeCommunities ?? []).map(one => `bgp_large_community.add(${tuple(one)});`),
    ...(med === undefined ? [] : [`bgp_med = ${med};`]),
    ...(localPref === undefined ? [] : [`bgp_local_pref = ${localPref};`]),
    ...[...(asPath ?? [])].reverse().map(as => `bgp_path.prepend(${as});`),
  ]
  return `  if net = ${prefix} then { ${acts.join(' ')} }`
}

function protocol(config: RouterConfig, neighbor: NeighborConfig, index: number): string {
  const { address, range, bfd, holdTime, multihop, localAddress = '', interface: link } = neighbor
  const where = range === undefined ? (address ?? 'fe80::/10') : range
  const as = typeof neighbor.remoteAs === 'number' ? `as ${neighbor.remoteAs}` : neighbor.remoteAs
  const dynamic = range !== undefined || address === undefined
  const port = neighbor.port === undefined ? '' : `port ${neighbor.port}`
  const own = config.port === undefined ? '' : `port ${config.port}`
  const hops = multihop ?? neighbor.ttlSecurity ?? 1
  const lines = [
    `local ${localAddress} ${own} as ${neighbor.localAs ?? config.as};`,
    `neighbor ${dynamic ? 'range ' : ''}${where} ${port} ${as};`,
    ...(dynamic ? [`dynamic name "${birdName(index)}_";`] : []),
    ...(link === undefined ? [] : [`interface "${link}";`]),
    hops > 1 ? `multihop ${hops};` : 'direct;',
    'connect delay time 1; connect retry time 1; error wait time 1, 2;',
    ...(holdTime === undefined ? [] : [`hold time ${holdTime};`]),
    ...(neighbor.password === undefined ? [] : [`password "${neighbor.password}";`]),
    ...(neighbor.passive ? ['passive on;'] : []),
    ...(neighbor.ttlSecurity ? ['ttl security on;'] : []),
    ...(neighbor.extendedMessages ? ['enable extended messages on;'] : []),
    ...(neighbor.fourOctetAs === false ? ['enable as4 off;'] : []),
    ...(bfd
      ? [
          `bfd { min rx interval ${bfd.receiveMs} ms; min tx interval ${bfd.transmitMs} ms; multiplier ${bfd.multiplier}; };`,
        ]
      : []),
    ...(neighbor.gracefulRestart === 'off' ? ['graceful restart off; long lived graceful restart off;'] : []),
    ...(neighbor.gracefulRestart === 'helper' ? ['graceful restart aware;'] : []),
    ...(neighbor.gracefulRestart === 'full' ? ['graceful restart on;'] : []),
  ]
  for (const family of familiesOf(neighbor)) {
    const foreign = where.includes(':') && family === 'ipv4'
    const hop =
      family === 'ipv6' && familyOf(where) === 'ipv4' && neighbor.nextHop6 !== undefined
        ? `next hop address ${neighbor.nextHop6};`
        : 'next hop self;'
    lines.push(
      `${family} { import all; export filter origins; ${hop} ${foreign ? 'extended next hop on;' : ''} };`,
    )
  }
  return `protocol bgp ${birdName(index)} {\n  ${lines.join('\n  ')}\n}`
}

/** `bird.conf`. */
export function birdConfig(config: RouterConfig, folder: string): string {
  const blocks = [
    `log "${folder}/log" all;`,
    'debug protocols { states, events };',
    `router id ${config.routerId};`,
    'protocol device { }',
    `filter origins {\n  if source != RTS_STATIC then reject;\n${(config.routes ?? []).map(dress).join('\n')}\n  accept;\n}`,
  ]
  for (const family of ['ipv4', 'ipv6'] as const) {
    const lines = routesOf(config, family).map(({ prefix }) => `  route ${prefix} blackhole;`)
    blocks.push(
      `protocol direct direct_${family} { ${family}; }`,
      `protocol static static_${family} {\n  ${family};\n${lines.join('\n')}\n}`,
    )
    if (config.install)
      blocks.push(
        `protocol kernel { scan time 1; merge paths on limit 16; ${family} { export where source = RTS_BGP; }; }`,
      )
  }
  if (config.neighbors.some(({ bfd }) => bfd))
    blocks.push('protocol bfd { interface "*" { }; multihop { }; }')
  blocks.push(...config.neighbors.map((one, i) => protocol(config, one, i)))
  return `${blocks.join('\n')}\n`
}
