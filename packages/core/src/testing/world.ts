import type { Family } from '../address.ts'
import type { Allocation, Assignment } from '../allocation/index.ts'
import type { BgpAd, Config, L2Ad, Peer, Selector } from '../config/config.ts'
import type { PlanInputs } from '../ownership/planner.ts'
import type { EndpointSlice, Node, Service } from '../resources/index.ts'
import { emptySnapshot } from '../source/snapshot.ts'

type Labels = Readonly<Record<string, string>>

/** `zone=a`, or `*` for everything. */
export function selector(text: string): Selector {
  const [key = '', value] = text.split('=')
  return { text, matches: labels => text === '*' || labels[key] === value }
}

export interface AdSpec {
  readonly name?: string
  readonly nodes?: readonly string[]
  readonly services?: readonly string[]
  readonly interfaces?: readonly string[]
  readonly prefer?: readonly (readonly [weight: number, selector: string])[]
}

export function ad({
  name = 'ad',
  nodes = [],
  services = [],
  interfaces = [],
  prefer = [],
}: AdSpec = {}): L2Ad {
  return {
    name,
    nodeSelectors: nodes.map(selector),
    serviceSelectors: services.map(selector),
    interfaces,
    preferences: prefer.map(([weight, text]) => ({ weight, selector: selector(text) })),
  }
}

export interface BgpAdSpec extends Partial<Omit<BgpAd, 'nodeSelectors' | 'serviceSelectors'>> {
  readonly nodes?: readonly string[]
  readonly services?: readonly string[]
}

export function bgpAd({ nodes = [], services = [], ...more }: BgpAdSpec = {}): BgpAd {
  return {
    name: 'bgp',
    nodeSelectors: nodes.map(selector),
    serviceSelectors: services.map(selector),
    aggregationLength: 32,
    aggregationLengthV6: 128,
    localPref: 0,
    communities: [],
    peers: [],
    ...more,
  }
}

export interface PeerSpec extends Partial<Omit<Peer, 'nodeSelectors'>> {
  readonly nodes?: readonly string[]
}

/** A peer at 10.9.9.1, save where `more` says otherwise: `interface` leaves out the address. */
export function peer(name: string, { nodes = [], ...more }: PeerSpec = {}): Peer {
  return {
    name,
    myAsn: 64512,
    peerAsn: 64513,
    ...(more.interface === undefined ? { peerAddress: '10.9.9.1' } : {}),
    peerPort: 179,
    nodeSelectors: nodes.map(selector),
    gracefulRestart: false,
    ebgpMultiHop: false,
    dualStackAddressFamily: false,
    passive: false,
    ...more,
  }
}

/** How a pool is announced. */
export interface PoolWords {
  readonly layer2?: readonly L2Ad[]
  readonly bgp?: readonly BgpAd[]
  /** Of its addresses. @default both */
  readonly families?: readonly Family[]
}

const isList = (words: PoolWords | readonly L2Ad[]): words is readonly L2Ad[] => Array.isArray(words)

/** Pools by name, each with what announces it: a list is of layer 2. */
export function config(
  pools: Readonly<Record<string, PoolWords | readonly L2Ad[]>>,
  peers: readonly Peer[] = [],
): Config {
  return {
    pools: Object.entries(pools).map(([name, words]) => {
      const { layer2 = [], bgp = [], families = [4, 6] } = isList(words) ? { layer2: words } : words
      return {
        name,
        labels: {},
        entries: [],
        ranges: families.map(family => ({ family, first: 0n, last: 1n })),
        autoAssign: true,
        avoidBuggyIPs: false,
        l2Advertisements: layer2,
        bgpAdvertisements: bgp,
      }
    }),
    peers,
    bfdProfiles: new Map(),
  }
}

export function node(name: string, labels: Labels = {}, conditions: Labels = {}): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels, annotations: {} },
    spec: { unschedulable: false, taints: [] },
    status: {
      conditions: Object.entries(conditions).map(([type, status]) => ({ type, status })),
      addresses: [],
    },
  }
}

export interface ServiceSpec {
  readonly namespace?: string
  readonly labels?: Labels
  readonly annotations?: Labels
  readonly local?: boolean
}

export function service(
  name: string,
  { namespace = 'default', labels = {}, annotations = {}, local }: ServiceSpec = {},
): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace, labels, annotations },
    spec: {
      type: 'LoadBalancer',
      clusterIPs: [],
      ipFamilies: [],
      externalTrafficPolicy: local ? 'Local' : 'Cluster',
      selector: {},
      ports: [],
    },
    status: { loadBalancer: { ingress: [] } },
  }
}

export type EndpointSpec =
  | string
  | {
      readonly node: string
      readonly ready?: boolean
      readonly serving?: boolean
      readonly addresses?: readonly string[]
    }

export function slice(
  of: string,
  endpoints: readonly EndpointSpec[],
  namespace = 'default',
  nth = 1,
): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${of}-${nth}`,
      namespace,
      labels: { 'kubernetes.io/service-name': of },
      annotations: {},
    },
    addressType: 'IPv4',
    endpoints: endpoints.map(endpoint => {
      const {
        node,
        addresses = ['10.244.0.1'],
        ...conditions
      } = typeof endpoint === 'string' ? { node: endpoint } : endpoint
      return { addresses, conditions, nodeName: node }
    }),
  }
}

export const assigned = (...addresses: string[]): Assignment => ({
  state: 'assigned',
  addresses,
  pool: 'first',
  publish: 'addresses',
})

export function allocation(services: Readonly<Record<string, Assignment>>): Allocation {
  return { services: new Map(Object.entries(services)), changed: [], pools: [] }
}

export interface World {
  readonly nodes?: readonly Node[]
  readonly services?: readonly Service[]
  readonly slices?: readonly EndpointSlice[]
  readonly config?: Config
  readonly assigned?: Readonly<Record<string, Assignment>>
  readonly alive?: readonly string[]
  readonly held?: readonly string[]
  readonly standalone?: boolean
  readonly ignoreExcludeLb?: boolean
}

export const four = ['node-a', 'node-b', 'node-c', 'node-d']

/**
 * One Service `web` at 192.168.1.240, served on node-a, in a cluster of four. Its order of succession is a,
 * d, c, b.
 */
export function inputs(world: World = {}): PlanInputs {
  return {
    snapshot: {
      ...emptySnapshot,
      nodes: world.nodes ?? four.map(name => node(name)),
      services: world.services ?? [service('web')],
      endpointSlices: world.slices ?? [slice('web', ['node-a'])],
    },
    config: world.config ?? config({ first: [ad()] }),
    allocation: allocation(world.assigned ?? { 'default/web': assigned('192.168.1.240') }),
    alive: world.alive && new Set(world.alive),
    ...(world.held ? { held: new Set(world.held) } : {}),
    standalone: world.standalone ?? false,
    ignoreExcludeLb: world.ignoreExcludeLb ?? false,
  }
}
