import { l2, node, pool, service } from '../lab/support/manifests.ts'

/** The cluster that the manifests of a soak run ask for; edits change one thing each. */
export interface Wanted {
  /** What the local segment is to hear of. */
  readonly lan: readonly string[]
  /** What every node tells the router. */
  readonly routed: readonly string[]
  /** What only some nodes tell the router. */
  readonly someRouted: readonly string[]
  readonly someNodes: readonly string[]
  /** A node that may not speak on the segment. */
  readonly without?: string
}

export const router = { address: '10.77.0.2', asn: 64_900 }
export const asn = 64_500

const addresses = (count: number, third: (i: number) => string): readonly string[] =>
  Array.from({ length: count }, (_, i) => third(i))

/** A thousand addresses: 750 by ARP, 250 by BGP, half of these from three nodes only. */
export const usual = (nodes: readonly string[]): Wanted => ({
  lan: addresses(750, i => `10.77.${4 + Math.floor(i / 250)}.${1 + (i % 250)}`),
  routed: addresses(125, i => `10.88.0.${1 + i}`),
  someRouted: addresses(125, i => `10.88.1.${1 + i}`),
  someNodes: nodes.slice(0, 3),
})

/** A valid edit: fewer Services, a node less on the segment, or other nodes for some routes. */
export function edited(wanted: Wanted, nodes: readonly string[], choice: number): Wanted {
  const node = nodes[choice % nodes.length] as string
  if (choice % 3 === 0) return { ...wanted, lan: wanted.lan.slice(50), routed: wanted.routed.slice(20) }
  if (choice % 3 === 1) return { ...wanted, without: node }
  return { ...wanted, someNodes: nodes.filter(one => one !== node) }
}

/** What a node is to tell the router, as prefixes in order. */
export const routesOf = (wanted: Wanted, node: string): readonly string[] =>
  [...wanted.routed, ...(wanted.someNodes.includes(node) ? wanted.someRouted : [])]
    .map(address => `${address}/32`)
    .toSorted()

/** Documents that ask for it. */
export interface WantedDocuments {
  /** Pools, advertisements and what BGP needs. */
  readonly configuration: readonly string[]
  readonly nodes: readonly string[]
  /** Services by name. */
  readonly services: ReadonlyMap<string, string>
}

export function documentsOf(wanted: Wanted, nodes: readonly string[]): WantedDocuments {
  const { lan, routed, someRouted, someNodes, without } = wanted
  const object = (kind: string, version: string, name: string, spec: unknown): string =>
    `---\napiVersion: metallb.io/${version}\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${JSON.stringify(spec)}\n`
  const among = { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: someNodes }] }
  const others = { key: 'kubernetes.io/hostname', operator: 'NotIn', values: [without] }
  const selectors = without === undefined ? {} : { nodeSelectors: [{ matchExpressions: [others] }] }
  const configuration = [
    pool('lan', '10.77.4.0/22'),
    pool('routed', '10.88.0.0/24'),
    pool('some', '10.88.1.0/24'),
    l2('lan', { ipAddressPools: ['lan'], ...selectors }),
    object('BGPAdvertisement', 'v1beta1', 'routed', { ipAddressPools: ['routed'] }),
    object('BGPAdvertisement', 'v1beta1', 'some', { ipAddressPools: ['some'], nodeSelectors: [among] }),
    object('BFDProfile', 'v1beta1', 'patient', {
      receiveInterval: 300,
      transmitInterval: 300,
      detectMultiplier: 5,
    }),
    object('BGPPeer', 'v1beta2', 'router', {
      myASN: asn,
      peerASN: router.asn,
      peerAddress: router.address,
      connectTime: '1s',
      holdTime: '9s',
      bfdProfile: 'patient',
    }),
  ]
  const services = [...lan, ...routed, ...someRouted].map(address => {
    const name = `web-${address.replaceAll('.', '-')}`
    return [name, service(name, { addresses: [address] })] as const
  })
  return { configuration, nodes: nodes.map(name => node(name)), services: new Map(services) }
}

/** The manifests that ask for it. */
export function manifestsOf(wanted: Wanted, among: readonly string[]): string {
  const { configuration, nodes, services } = documentsOf(wanted, among)
  return [...configuration, ...nodes, ...services.values()].join('')
}

/** A pool that overlaps another, so that the whole configuration is refused. */
export const overlapping: string = pool('overlapping', '10.77.4.0/24')

/** A configuration that is refused: not YAML at all, a pool that overlaps another, the same object twice, or a field of the wrong type. */
export function broken(text: string, choice: number): string {
  const wrong = [
    '---\nkind: IPAddressPool\n  metadata: {\n',
    overlapping,
    pool('lan', '10.99.0.0/24'),
    '---\napiVersion: metallb.io/v1beta2\nkind: BGPPeer\nmetadata: { name: odd }\nspec: { myASN: many, peerASN: 1, peerAddress: 10.0.0.1 }\n',
  ]
  return text + (wrong[choice % wrong.length] as string)
}

/** What a full disk leaves of a file: it ends in the middle of an object. */
export const half = (text: string, choice: number): string =>
  text.slice(0, text.indexOf('"ports"', Math.floor((text.length * (2 + choice)) / 10)))
