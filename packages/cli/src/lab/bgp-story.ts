import { mkdtemp } from 'node:fs/promises'
import { CarillonError } from '@carillon/core'
import { sessionLine } from '../sessions.ts'
import { paint, type Terminal } from '../terminal.ts'
import { type Answer, sumUp } from './answers.ts'
import { LabClient } from './lab-client.ts'
import { LabNet, type LabPort } from './lab-net.ts'
import { LabSpeakers } from './lab-speakers.ts'
import { bgpManifests } from './manifests.ts'
import { nextHops } from './next-hops.ts'
import { pause } from './pause.ts'
import { findRouter, type RouterName, type RouterProgram } from './router.ts'
import { type Story, type Telling, tell } from './tell.ts'

const nodes = new Map([
  ['node-a', '10.77.0.11'],
  ['node-b', '10.77.0.12'],
  ['node-c', '10.77.0.13'],
])
const addresses = ['10.99.0.100', 'fd99::100'] as const
const [address] = addresses
const asn = 64512
const router = { address: '10.77.0.1', asn: 64513 }

/** What `carillon lab --bgp --json` prints. */
export interface BgpLabReport {
  readonly router: string
  readonly address: string
  /** The nodes that the router sends traffic to when all is well. */
  readonly nextHops: readonly string[]
  /** How often each node answered the client meanwhile. */
  readonly answers: Readonly<Record<string, number>>
  readonly losses: readonly {
    readonly what: string
    readonly node: string
    /** Milliseconds until the router did not send anything to the node any more. */
    readonly goneMs: number
    /** The longest time in which no node answered the client. */
    readonly gapMs: number
    /** Milliseconds from the repair until the router sent traffic to the node again. */
    readonly backMs: number
  }[]
}

class RoutedLab implements AsyncDisposable {
  readonly net = new LabNet('lab')
  readonly speakers = new LabSpeakers(this.net, nodes)
  readonly #program: RouterProgram
  readonly #ports = new Map<string, LabPort>()
  #folder = ''
  #client: LabClient | undefined
  #closed = false

  constructor(program: RouterProgram) {
    this.#program = program
  }

  get answers(): readonly Answer[] {
    return this.#client?.answers ?? []
  }

  async build(): Promise<void> {
    const { net, speakers } = this
    // The lab's own /run, which every user of it can reach: the folder for temporary files may be private.
    this.#folder = await mkdtemp('/run/router-')
    await speakers.edit(bgpManifests({ nodes: [...nodes.keys()], addresses, asn, router }))
    await net.bridge('switch')
    await net.bridge('office')
    await net.host('router')
    await net.join('switch', 'router', [`${router.address}/24`, 'fd77::1/64'], 'eth0')
    await net.join('office', 'router', ['10.78.0.1/24', 'fd78::1/64'], 'eth1')
    await net.sysctl('router', {
      'net.ipv4.ip_forward': 1,
      'net.ipv6.conf.all.forwarding': 1,
      // Each connection goes its own way.
      'net.ipv4.fib_multipath_hash_policy': 1,
      'net.ipv6.fib_multipath_hash_policy': 1,
    })
    await net.host('client')
    await net.join('office', 'client', ['10.78.0.2/24', 'fd78::2/64'])
    await this.#defaultRoute('client', '10.78.0.1', 'fd78::1')
    for (const [node, at] of nodes) {
      await net.host(node)
      this.#ports.set(node, await net.join('switch', node, [`${at}/24`, `fd77::${at.split('.')[3]}/64`]))
      await this.#defaultRoute(node, router.address, 'fd77::1')
      await net.serve(node, addresses)
      speakers.serveWeb(node)
      speakers.start(node)
    }
    await this.#program.start({
      net,
      host: 'router',
      asn: router.asn,
      routerId: router.address,
      neighbours: [...nodes].map(([node, at]) => ({ name: node.replace('-', '_'), address: at })),
      neighbourAsn: asn,
      folder: this.#folder,
    })
  }

  async #defaultRoute(host: string, via4: string, via6: string): Promise<void> {
    await this.net.ipIn(host, 'route', 'add', 'default', 'via', via4)
    await this.net.ipIn(host, '-6', 'route', 'add', 'default', 'via', via6)
  }

  ask(): void {
    this.#client = new LabClient(this.net, 'client', address)
  }

  async cut(node: string, cut: boolean): Promise<void> {
    const port = this.#ports.get(node)
    if (port) await this.net.cut(port, cut)
  }

  /** Names of the nodes that the router sends traffic for an address to. */
  async hops(of: string = address): Promise<readonly string[]> {
    const found = await nextHops(this.net, 'router', of)
    return [...nodes]
      .filter(([, at]) => found.some(hop => hop === at || hop === `fd77::${at.split('.')[3]}`))
      .map(([node]) => node)
  }

  /** Waits until the router's next hops are as wanted; gives the milliseconds that took. Throws `LAB_UNAVAILABLE`. */
  async until(what: string, accept: (hops: readonly string[]) => boolean): Promise<number> {
    const start = performance.now()
    while (!this.#closed && performance.now() - start < 60_000) {
      if (accept(await this.hops())) return performance.now() - start
      await pause(5)
    }
    throw new CarillonError('LAB_UNAVAILABLE', `the lab gave up: ${what} did not happen within a minute`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await this.net[Symbol.asyncDispose]()
    await this.speakers[Symbol.asyncDispose]()
  }
}

/**
 * Builds a lab with a router, takes its next hops away one after the other, and says what happened. Gives the exit code. Throws
 * `LAB_UNAVAILABLE` where no router is installed.
 */
export async function tellBgpStory(
  options: Telling & { readonly router?: RouterName },
  terminal: Terminal,
): Promise<number> {
  const program = await findRouter(options.router)
  await using lab = new RoutedLab(program)
  const story: Story<BgpLabReport> = {
    play: say => play(lab, program.name, terminal, say),
    good: ({ nextHops: hops, losses }) => hops.length === nodes.size && losses.length > 0,
  }
  return await tell(story, options, terminal)
}

const everyNode = (hops: readonly string[]): boolean => hops.length === nodes.size

async function play(
  lab: RoutedLab,
  name: string,
  terminal: Terminal,
  say: (text: string) => void,
): Promise<BgpLabReport> {
  say(
    paint(
      terminal,
      'bold',
      `Three nodes, a router (${name}) and a client behind it, each in a network namespace`,
    ),
  )
  await lab.build()
  say(
    `  nodes ${[...nodes.keys()].join(', ')}: each runs "carillon run", which announces by BGP to the router`,
  )
  say(`  the Service default/web has the addresses ${addresses.join(' and ')}\n`)
  await lab.until('three next hops at the router', everyNode)
  for (const one of addresses) await show(lab, say, one)
  const status = await lab.speakers.status('node-a')
  for (const session of status?.sessions ?? [])
    say(`  node-a > ${sessionLine(session, status?.now ?? session.since)}`)

  lab.ask()
  await pause(1500)
  const answers: Record<string, number> = {}
  for (const { node } of lab.answers) answers[node] = (answers[node] ?? 0) + 1
  const shares = Object.entries(answers)
    .sort()
    .map(([node, count]) => `${node} ${count}`)
  say(`  the client's connections were answered by ${shares.join(', ')}`)

  const losses: BgpLabReport['losses'][number][] = []
  for (const { what, node, hurt, heal } of faults(lab)) {
    say(`\n${paint(terminal, 'bold', what)}`)
    const start = Math.max(0, lab.answers.length - 1)
    await hurt()
    const goneMs = await lab.until(`that ${node} is no next hop`, hops => !hops.includes(node))
    await pause(1000)
    const gapMs = sumUp(lab.answers.slice(start))?.gapMs ?? Number.NaN
    const took = paint(terminal, 'cyan', `${Math.round(goneMs)} ms`)
    say(`  the router dropped ${node} after ${took}; longest time without an answer: ${Math.round(gapMs)} ms`)
    await show(lab, say, address)
    await heal()
    const backMs = await lab.until(`that ${node} is a next hop again`, everyNode)
    say(`  and when ${node} is back, it is a next hop again after ${Math.round(backMs)} ms`)
    losses.push({ what, node, goneMs, gapMs, backMs })
  }
  return { router: name, address, nextHops: await lab.hops(), answers, losses }
}

async function show(lab: RoutedLab, say: (text: string) => void, of: string): Promise<void> {
  say(`  the router sends ${of} to ${(await lab.hops(of)).join(', ') || 'nobody'}`)
}

interface Fault {
  readonly what: string
  readonly node: string
  readonly hurt: () => Promise<void> | void
  readonly heal: () => Promise<void> | void
}

/** Ways for a node to be lost. */
function faults(lab: RoutedLab): readonly Fault[] {
  const { speakers } = lab
  return [
    {
      what: 'kill -9 of the speaker on node-a',
      node: 'node-a',
      hurt: () => speakers.signal('node-a', 'SIGKILL'),
      heal: () => speakers.start('node-a'),
    },
    {
      what: 'The link of node-b is cut: BFD notices',
      node: 'node-b',
      hurt: () => lab.cut('node-b', true),
      heal: () => lab.cut('node-b', false),
    },
    {
      what: 'The speaker on node-c is told to stop (SIGTERM)',
      node: 'node-c',
      hurt: () => speakers.signal('node-c', 'SIGTERM'),
      heal: () => speakers.start('node-c'),
    },
  ]
}
