import { hostname } from 'node:os'
import { defaultExcludedInterfaces } from '@carillon/arp'
import {
  CarillonError,
  type Config,
  ConfigParser,
  type Endpoint,
  type Link,
  type Links,
  matchesAny,
  type Network,
  type Peer,
  type Snapshot,
  type SpeakerStatus,
  systemClock,
} from '@carillon/core'
import { KeyFile, Keyring } from '@carillon/gossip'
import { systemNetwork } from '@carillon/sockets'
import { speakerAt } from '../client.ts'
import { checkClock } from '../doctor/clock.ts'
import { type Finding, findingsOf } from '../doctor/finding.ts'
import { checkKernel } from '../doctor/kernel.ts'
import { checkPrivileges } from '../doctor/privileges.ts'
import { probeBgp } from '../doctor/probe/bgp.ts'
import { probeSynchronised, watchClock } from '../doctor/probe/clock.ts'
import { probeGossip } from '../doctor/probe/gossip.ts'
import { probeKernel } from '../doctor/probe/kernel.ts'
import { effectiveCapabilities, fileNumber } from '../doctor/probe/proc.ts'
import { askStations } from '../doctor/probe/responders.ts'
import { checkResponders } from '../doctor/responders.ts'
import { checkStrictArp } from '../doctor/strict-arp.ts'
import { parseEndpoint } from '../endpoint.ts'
import { type Paint, paint, type Terminal, table } from '../terminal.ts'
import { readManifests } from './manifests.ts'
import { planOf } from './plan.ts'

export interface DoctorOptions {
  readonly http: string
  readonly manifests?: readonly string[]
  readonly node?: string
  readonly gossipBind: string
  readonly gossipJoin?: readonly string[]
  readonly gossipKeyFile?: string
  readonly gossipLabel?: string
  readonly address?: readonly string[]
  readonly bgpPasswordFile?: readonly string[]
  readonly json: boolean
}

/** An address and the node that is to answer for it, as far as that is known. */
interface Held {
  readonly address: string
  readonly owner?: string
}

/** What is known of the cluster before anything is looked at. */
interface Knowledge {
  readonly node: string
  readonly status: SpeakerStatus | undefined
  readonly held: readonly Held[]
  readonly members: readonly Endpoint[]
  readonly peers: readonly Peer[]
}

/** How many addresses are asked for by ARP: a check is no load test. */
const mostAddresses = 64

/** Milliseconds that answers to ARP are waited for. */
const arpMs = 1000

/** `carillon doctor`: 0 when nothing is wrong, warnings aside, 1 when something is. */
export async function doctor(options: DoctorOptions, terminal: Terminal): Promise<number> {
  const driftMs = watchClock(Date.now, () => performance.now())
  const bind = parseEndpoint('--gossip-bind', options.gossipBind, 7946)
  const knowledge = await gather(options)
  const keyring = await keysOf(options.gossipKeyFile)
  const network = systemNetwork()
  const links = await linksOf(network)
  const all = links?.current() ?? []
  const common = { network, clock: systemClock }
  const label = options.gossipLabel === undefined ? {} : { label: options.gossipLabel }
  try {
    const { members, peers, status } = knowledge
    const [kernel, gossip, stations, bgp, synchronised] = await Promise.all([
      probeKernel(network),
      probeGossip({ ...common, random: Math.random, links: all, bind, members, keyring, ...label }),
      responders(knowledge, all, network),
      probeBgp({ ...common, peers, sessions: status?.sessions ?? [] }),
      probeSynchronised(),
    ])
    const findings = [
      ...checkPrivileges(await effectiveCapabilities()),
      ...checkKernel(kernel),
      ...gossip,
      ...(members.length > 0 ? [] : [alone('gossip', 'no member is known: name some with --gossip-join')]),
      ...checkStrictArp(await arpFacts(all, knowledge.held)),
      ...stations,
      ...(bgp.length > 0 ? bgp : [alone('bgp', 'no peer is known: give --manifests, or start a speaker')]),
      ...checkClock({ synchronised, driftMs: driftMs() }),
    ]
    const failed = findings.some(({ result }) => result === 'error')
    if (options.json) terminal.print(JSON.stringify({ node: knowledge.node, findings }, null, 2))
    else show(knowledge, findings, terminal)
    return failed ? 1 : 0
  } finally {
    await links?.[Symbol.asyncDispose]()
  }
}

const alone = (check: string, why: string): Finding => findingsOf(check)('', 'skipped', why)

/** Asks the running speaker, and reads manifests where they are given. */
async function gather(options: DoctorOptions): Promise<Knowledge> {
  const status = await speakerAt(options.http)().catch((error: unknown) => {
    if (error instanceof CarillonError && error.code !== 'USAGE') return undefined
    throw error
  })
  const node = options.node ?? status?.node ?? hostname()
  const snapshot = options.manifests && (await readManifests(options.manifests, options.bgpPasswordFile))
  const config = snapshot && configOf(snapshot)
  const named = (options.address ?? []).map(text => ({
    address: parseEndpoint('--address', text, 0).address,
  }))
  const held = new Map<string, Held>()
  const planned = snapshot && planOf(snapshot, { standalone: true, ignoreExcludeLb: false })
  for (const one of [...named, ...heldBy(planned?.services ?? []), ...heldBy(status?.services ?? [])])
    held.set(one.address, one)
  return {
    node,
    status,
    // Which node is alive is not written in manifests: only a speaker knows who owns an address.
    held: [...held.values()].map(one => (status ? one : { address: one.address })),
    members: membersOf(options, status, node),
    peers: config && snapshot ? peersOf(config, snapshot, node) : [],
  }
}

/** Throws `USAGE`: what peers there are cannot be told of a broken configuration. */
function configOf(snapshot: Snapshot): Config {
  const { config, problems } = new ConfigParser().parse(snapshot)
  if (config) return config
  const first = problems.find(({ severity }) => severity === 'error')
  throw new CarillonError(
    'BAD_MANIFESTS',
    `the manifests are invalid, see "carillon validate": ${first?.kind} ${first?.name} ${first?.field}: ${first?.message}`,
  )
}

const heldBy = (
  services: SpeakerStatus['services'] | readonly Pick<SpeakerStatus['services'][number], 'announcements'>[],
): readonly Held[] =>
  services.flatMap(({ announcements }) =>
    announcements.flatMap(one =>
      one.protocol === 'layer2' ? { address: one.address, owner: one.node } : [],
    ),
  )

function membersOf(
  options: DoctorOptions,
  status: SpeakerStatus | undefined,
  node: string,
): readonly Endpoint[] {
  const told = (options.gossipJoin ?? []).map(text => parseEndpoint('--gossip-join', text, 7946))
  const others = (status?.members ?? []).filter(
    ({ name, address, liveness }) => name !== node && address !== '' && liveness !== 'left',
  )
  const known = others.map(({ address }) => parseEndpoint('member', address, 7946))
  const all = new Map([...told, ...known].map(to => [`${to.address} ${to.port}`, to]))
  return [...all.values()]
}

function peersOf(config: Config, snapshot: Snapshot, node: string): readonly Peer[] {
  const labels = snapshot.nodes.find(({ metadata }) => metadata.name === node)?.metadata.labels ?? {
    'kubernetes.io/hostname': node,
  }
  return config.peers.filter(({ nodeSelectors }) => matchesAny(nodeSelectors, labels))
}

async function keysOf(path: string | undefined): Promise<Keyring> {
  const keyring = new Keyring()
  if (path === undefined) return keyring
  const file = await KeyFile.open({ path, keyring, format: 'metallb' })
  await file[Symbol.asyncDispose]()
  return keyring
}

async function linksOf(network: Network): Promise<Links | undefined> {
  try {
    return await network.links()
  } catch (error) {
    if (error instanceof CarillonError) return undefined
    throw error
  }
}

async function arpFacts(
  links: readonly Link[],
  held: readonly Held[],
): Promise<Parameters<typeof checkStrictArp>[0]> {
  const wanted = new Set(held.map(({ address }) => address))
  return {
    ipvs: links.some(({ name }) => name === 'kube-ipvs0'),
    ignore: await fileNumber('/proc/sys/net/ipv4/conf/all/arp_ignore'),
    announce: await fileNumber('/proc/sys/net/ipv4/conf/all/arp_announce'),
    borne: links
      .filter(({ name }) => name !== 'kube-ipvs0')
      .flatMap(({ name, addresses }) =>
        addresses.flatMap(({ address }) => (wanted.has(address) ? { address, interface: name } : [])),
      ),
  }
}

const excluded = defaultExcludedInterfaces.map(pattern => new RegExp(pattern))

/** Asks for the addresses on every Ethernet interface that a speaker would use. */
async function responders(
  { node, held }: Knowledge,
  links: readonly Link[],
  network: Network,
): Promise<readonly Finding[]> {
  const ipv4 = held.filter(({ address }) => !address.includes(':'))
  const asked = ipv4.slice(0, mostAddresses)
  if (held.length === 0)
    return [alone('responders', 'no address is known: name some with --address, or start a speaker')]
  const usable = links.filter(
    ({ name, up, carrier, noArp, mac, master }) =>
      up &&
      carrier &&
      !noArp &&
      mac.length === 6 &&
      master === undefined &&
      !excluded.some(one => one.test(name)),
  )
  const answers = {
    network,
    clock: systemClock,
    addresses: asked.map(({ address }) => address),
    links: usable,
    forMs: arpMs,
  }
  let unasked = usable.length === 0 ? 'no interface of this host can ask by ARP' : undefined
  const stations = await askStations(answers).catch((error: unknown) => {
    if (!(error instanceof CarillonError)) throw error
    unasked = error.message
    return []
  })
  const more = held.length - asked.length
  return [
    ...asked.map(({ address, owner }) =>
      checkResponders({
        address,
        ...(unasked === undefined ? {} : { unasked }),
        stations: stations.filter(one => one.address === address),
        owner,
        own: owner === node,
      }),
    ),
    ...(more > 0
      ? [alone('responders', `${more} more addresses were not asked for: IPv6, or beyond ${mostAddresses}`)]
      : []),
  ]
}

const colours: Readonly<Record<Finding['result'], Paint>> = {
  ok: 'green',
  warning: 'yellow',
  error: 'red',
  skipped: 'dim',
}

function show({ node, status }: Knowledge, findings: readonly Finding[], terminal: Terminal): void {
  terminal.print(
    `${paint(terminal, 'bold', node)}  ${status ? `a speaker runs here, carillon ${status.version}` : 'no speaker runs here'}`,
  )
  terminal.print('')
  const rows = findings.map(({ check, subject, result, message }) => [
    paint(terminal, colours[result], result),
    check,
    subject || '-',
    message,
  ])
  terminal.print(table(['RESULT', 'CHECK', 'OF', 'FOUND'], rows))
  const todo = findings.filter(
    ({ result, advice }) => advice !== null && (result === 'error' || result === 'warning'),
  )
  if (todo.length > 0) terminal.print('\nWhat to do:')
  for (const { check, subject, result, advice } of todo)
    terminal.print(
      `${paint(terminal, colours[result], result)} ${check}${subject === '' ? '' : ` ${subject}`}: ${advice}`,
    )
}
