import type { BgpAnnouncement, PlannedAnnouncement } from '@carillon/core'

/** The first few of many names: `a, b, c and 7 more`. */
export function few(names: readonly string[], most = 4): string {
  if (names.length <= most + 1) return names.join(', ')
  return `${names.slice(0, most).join(', ')} and ${names.length - most} more`
}

/** What some nodes tell some peers alike. */
export interface Broadcast {
  readonly prefix: string
  readonly nodes: readonly string[]
  readonly peers: readonly string[]
  readonly localPref: number
  readonly communities: readonly string[]
}

function gather<Item>(items: readonly Item[], keyOf: (item: Item) => unknown): readonly [Item, ...Item[]][] {
  const groups = new Map<string, [Item, ...Item[]]>()
  for (const item of items) {
    const key = JSON.stringify(keyOf(item))
    const group = groups.get(key)
    if (group) group.push(item)
    else groups.set(key, [item])
  }
  return [...groups.values()]
}

/** What BGP announces, with all nodes and peers taken together that say and hear the same. */
export function broadcasts(announcements: readonly PlannedAnnouncement[]): readonly Broadcast[] {
  const told = announcements.filter((one): one is BgpAnnouncement => one.protocol === 'bgp')
  const byPeer = gather(told, ({ node: _, ...rest }) => rest).map(group => {
    const [{ protocol: __, node: ___, ...rest }] = group
    return { ...rest, nodes: group.map(({ node }) => node) }
  })
  return gather(byPeer, ({ peer: _, ...rest }) => rest).map(group => {
    const [{ peer: __, ...rest }] = group
    return { ...rest, peers: group.map(({ peer }) => peer) }
  })
}

/** What goes with a route, if anything: ` (localPref 100, communities 65000:1)`. */
export function attributes({ localPref, communities }: Pick<Broadcast, 'localPref' | 'communities'>): string {
  const said = [
    ...(localPref === 0 ? [] : [`localPref ${localPref}`]),
    ...(communities.length === 0 ? [] : [`communities ${communities.join(' ')}`]),
  ]
  return said.length === 0 ? '' : ` (${said.join(', ')})`
}

/** Everything that is announced, in lines. */
export function announcedLines(announcements: readonly PlannedAnnouncement[]): readonly string[] {
  const routes = broadcasts(announcements).map(
    one => `${one.prefix} by ${few(one.nodes)}, bgp, to ${few(one.peers)}${attributes(one)}`,
  )
  const addresses = announcements.flatMap(one => {
    if (one.protocol !== 'layer2') return []
    const interfaces = one.interfaces === 'all' ? 'all' : one.interfaces.join(', ')
    return `${one.address} by ${one.node}, layer2, interfaces ${interfaces}`
  })
  return [...routes, ...addresses]
}
