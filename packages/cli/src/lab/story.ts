import { CarillonError } from '@carillon/core'
import { paint, type Terminal, table } from '../terminal.ts'
import { type Answer, type Seen, sumUp } from './answers.ts'
import { LabClient } from './lab-client.ts'
import { LabNet, type LabPort } from './lab-net.ts'
import { LabSpeakers } from './lab-speakers.ts'
import { labManifests } from './manifests.ts'
import { pause } from './pause.ts'
import { type Story, type Telling, tell } from './tell.ts'

const nodes = ['node-a', 'node-b', 'node-c'] as const
const addresses = ['10.77.0.100', 'fd77::100'] as const
const [address] = addresses

/** What `carillon lab --json` prints. */
export interface LabReport {
  readonly address: string
  readonly owner: string
  readonly moves: readonly (Seen & { readonly what: string })[]
}

class Lab implements AsyncDisposable {
  readonly net = new LabNet('lab')
  readonly speakers = new LabSpeakers(
    this.net,
    new Map(nodes.map((node, i) => [node, `10.77.0.1${i + 1}`] as const)),
  )
  readonly #ports = new Map<string, LabPort>()
  #client: LabClient | undefined
  #closed = false

  async build(): Promise<void> {
    await this.edit([])
    await this.net.bridge('switch')
    await this.net.host('client')
    await this.net.join('switch', 'client', ['10.77.0.1/24', 'fd77::1/64'])
    for (const [i, node] of nodes.entries()) {
      await this.net.host(node)
      this.#ports.set(
        node,
        await this.net.join('switch', node, [`10.77.0.1${i + 1}/24`, `fd77::1${i + 1}/64`]),
      )
      await this.net.serve(node, addresses)
      this.speakers.serveWeb(node)
      this.speakers.start(node)
    }
  }

  get answers(): readonly Answer[] {
    return this.#client?.answers ?? []
  }

  /** Cuts a node off, or connects it again; its interface keeps its carrier, as behind a switch that fails. */
  async cut(node: string, cut: boolean): Promise<void> {
    const port = this.#ports.get(node)
    if (port) await this.net.cut(port, cut)
  }

  edit(without: readonly string[]): Promise<void> {
    return this.speakers.edit(labManifests({ nodes, addresses, without }))
  }

  ask(): void {
    this.#client = new LabClient(this.net, 'client', address)
  }

  /** Waits until the client is answered by a node that `accept` accepts; throws `LAB_UNAVAILABLE` when that takes too long. */
  async until(what: string, accept: (node: string) => boolean): Promise<string> {
    const end = performance.now() + 15_000
    while (!this.#closed && performance.now() < end) {
      const last = this.answers.at(-1)
      if (last && accept(last.node)) return last.node
      await pause(10)
    }
    throw new CarillonError('LAB_UNAVAILABLE', `the lab gave up: ${what} did not happen within 15 s`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Whoever still waits for an answer would keep the process alive for it.
    this.#closed = true
    await this.net[Symbol.asyncDispose]()
    await this.speakers[Symbol.asyncDispose]()
  }
}

/** Builds the lab, moves the address, and says what happened. Gives the exit code. */
export async function tellStory(options: Telling, terminal: Terminal): Promise<number> {
  await using lab = new Lab()
  const story: Story<LabReport> = {
    play: say => play(lab, terminal, say),
    good: ({ moves }) => moves.every(move => move.to !== move.from),
  }
  return await tell(story, options, terminal)
}

async function play(lab: Lab, terminal: Terminal, say: (text: string) => void): Promise<LabReport> {
  say(paint(terminal, 'bold', 'A bridge, three nodes and a client, each in a network namespace'))
  await lab.build()
  say(
    `  nodes ${nodes.join(', ')}: each runs "carillon run" and a web server that answers with its node's name`,
  )
  say(`  the Service default/web has the addresses ${addresses.join(' and ')}\n`)
  lab.ask()
  const owner = await lab.until('a first answer', () => true)
  // The first to start takes the address until it has met the others.
  await settled(lab)
  await show(lab, terminal, say, owner)

  const moves: (Seen & { what: string })[] = []
  const victim = lab.answers.at(-1)?.node ?? owner
  const watch = async (
    what: string,
    label: string,
    act: () => Promise<void> | void,
    accept: (node: string) => boolean,
  ): Promise<void> => {
    const start = lab.answers.length - 1
    await act()
    const to = await lab.until(what, accept)
    await pause(400)
    const seen = sumUp(lab.answers.slice(start))
    if (!seen) return
    moves.push({ what, ...seen })
    const gap = paint(terminal, 'cyan', `${Math.round(seen.gapMs)} ms`)
    say(
      `  ${label.padEnd(28)} answered by ${paint(terminal, 'green', to)}; longest time without an answer: ${gap}`,
    )
  }
  const away = (node: string): boolean => node !== victim
  const back = (node: string): boolean => node === victim
  for (const { title, hurt, heal } of faults(lab, victim)) {
    say(`\n${paint(terminal, 'bold', title)}`)
    await watch(title, 'then', hurt, away)
    await show(lab, terminal, say, nodes.find(away) ?? owner)
    await watch(`${title}, and undone`, `and when ${victim} is back`, heal, back)
    await settled(lab)
  }
  return { address, owner: victim, moves }
}

interface Fault {
  readonly title: string
  readonly hurt: () => Promise<void> | void
  readonly heal: () => Promise<void> | void
}

/** Ways for a node to lose its address. The web server behind it goes on, but for the cut. */
function faults(lab: Lab, victim: string): readonly Fault[] {
  const restart = (): void => lab.speakers.start(victim)
  return [
    {
      title: `The manifest is edited: ${victim} may not announce any more`,
      hurt: () => lab.edit([victim]),
      heal: () => lab.edit([]),
    },
    {
      title: `kill -9 of the speaker on ${victim}`,
      hurt: () => lab.speakers.signal(victim, 'SIGKILL'),
      heal: restart,
    },
    {
      title: `The link of ${victim} is cut`,
      hurt: () => lab.cut(victim, true),
      heal: () => lab.cut(victim, false),
    },
    {
      title: `The speaker on ${victim} is frozen (SIGSTOP)`,
      hurt: () => lab.speakers.signal(victim, 'SIGSTOP'),
      heal: () => lab.speakers.signal(victim, 'SIGCONT'),
    },
    {
      title: `The speaker on ${victim} is told to stop (SIGTERM)`,
      hurt: () => lab.speakers.signal(victim, 'SIGTERM'),
      heal: restart,
    },
  ]
}

/** Waits until the client has been answered by the same node for a while. */
async function settled(lab: Lab): Promise<void> {
  const end = performance.now() + 10_000
  let since = performance.now()
  let node = lab.answers.at(-1)?.node
  while (performance.now() < end && performance.now() - since < 700) {
    await pause(20)
    const now = lab.answers.at(-1)?.node
    if (now !== node) since = performance.now()
    node = now
  }
}

async function show(lab: Lab, terminal: Terminal, say: (text: string) => void, ask: string): Promise<void> {
  const status = await lab.speakers.status(ask)
  const web = status?.services.find(service => service.name === 'web')
  if (web) {
    const rows = web.addresses.map(one => [
      one,
      paint(terminal, 'green', web.owner ?? 'nobody'),
      web.succession.join(' > '),
    ])
    for (const line of table(
      ['  ADDRESS', 'OWNER', 'SUCCESSION'],
      rows.map(([first, ...rest]) => [`  ${first}`, ...rest]),
    ).split('\n')) {
      say(line)
    }
  }
  const neighbour = (await lab.net.ipIn('client', 'neigh', 'show', address)).trim()
  say(`  client's neighbour table: ${neighbour || 'nothing yet'}`)
}
