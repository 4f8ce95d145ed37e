import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { CarillonError, type SpeakerStatus } from '@carillon/core'
import { paint, type Terminal, table } from '../terminal.ts'
import { type Answer, type Seen, sumUp } from './answers.ts'
import { LabNet } from './lab-net.ts'
import { labManifests } from './manifests.ts'

const nodes = ['node-a', 'node-b', 'node-c'] as const
const addresses = ['10.77.0.100', 'fd77::100'] as const
const [address] = addresses
const bin = fileURLToPath(new URL('../../bin/carillon.js', import.meta.url))
const webServer = fileURLToPath(new URL('./web-server.js', import.meta.url))
const webClient = fileURLToPath(new URL('./web-client.js', import.meta.url))

const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

/** What `carillon lab --json` prints. */
export interface LabReport {
  readonly address: string
  readonly owner: string
  readonly moves: readonly (Seen & { readonly what: string })[]
}

class Lab implements AsyncDisposable {
  readonly net = new LabNet('lab')
  readonly answers: Answer[] = []
  #folder = ''
  #client: ChildProcess | undefined
  #closed = false

  async build(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), 'carillon-lab-'))
    await this.edit([])
    await this.net.bridge('switch')
    await this.net.host('client')
    await this.net.join('switch', 'client', ['10.77.0.1/24', 'fd77::1/64'])
    for (const [i, node] of nodes.entries()) {
      await this.net.host(node)
      await this.net.join('switch', node, [`10.77.0.1${i + 1}/24`, `fd77::1${i + 1}/64`])
      await this.net.serve(node, addresses)
      this.net.spawn(node, process.execPath, [webServer, node, '80'], { stdio: 'ignore' })
      this.start(node)
    }
  }

  start(node: string): ChildProcess {
    const args = [
      'run',
      '--node',
      node,
      '--manifests',
      this.#folder,
      '--log-level',
      'warn',
      '--log-format',
      'pretty',
    ]
    return this.net.spawn(node, process.execPath, [bin, ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
  }

  /** Writes the manifests anew, in one step. */
  async edit(without: readonly string[]): Promise<void> {
    const file = join(this.#folder, 'cluster.yaml')
    await writeFile(`${file}.new`, labManifests({ nodes, addresses, without }))
    await rename(`${file}.new`, file)
  }

  async status(node: string): Promise<SpeakerStatus | undefined> {
    const { code, stdout } = await this.net.exec(node, process.execPath, [bin, 'status', '--json'])
    return code === 0 ? (JSON.parse(stdout) as SpeakerStatus) : undefined
  }

  ask(): void {
    this.#client = this.net.spawn('client', process.execPath, [webClient, address, '80', '10'])
    if (!this.#client.stdout) return
    createInterface(this.#client.stdout).on('line', line => this.answers.push(JSON.parse(line) as Answer))
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
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** Builds the lab, moves the address, and says what happened. Gives the exit code. */
export async function tellStory(
  options: { readonly keep: boolean; readonly json: boolean },
  terminal: Terminal,
): Promise<number> {
  const say = (text: string): void => {
    if (!options.json) terminal.print(text)
  }
  await using lab = new Lab()
  const interrupted = new Promise<'interrupted'>(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve('interrupted'))
  })
  const story = play(lab, terminal, say)
  const ended = await Promise.race([story, interrupted])
  if (ended === 'interrupted') {
    story.catch(() => {})
    say('\ninterrupted: everything is taken down')
    return 130
  }
  if (options.json) terminal.print(JSON.stringify(ended, null, 2))
  if (options.keep) {
    say(`\nThe lab stays until Ctrl-C. Look inside with: nsenter -a -t ${process.ppid} ip netns`)
    await interrupted
  }
  return ended.moves.every(move => move.to !== move.from) ? 0 : 1
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
  await pause(300)
  await show(lab, terminal, say)

  const moves: (Seen & { what: string })[] = []
  const move = async (what: string, without: readonly string[]): Promise<string> => {
    const from = lab.answers.at(-1)?.node ?? ''
    say(`\n${paint(terminal, 'bold', what)}`)
    const start = lab.answers.length - 1
    await lab.edit(without)
    const to = await lab.until(`an answer from another node than ${from}`, node => node !== from)
    await pause(500)
    const seen = sumUp(lab.answers.slice(start))
    if (seen) moves.push({ what, ...seen })
    const gap = seen ? `${Math.round(seen.gapMs)} ms` : 'unknown'
    say(
      `  the client is now answered by ${paint(terminal, 'green', to)}; longest time without an answer: ${paint(terminal, 'cyan', gap)}`,
    )
    await show(lab, terminal, say)
    return to
  }
  await move(`The manifest is edited: ${owner} may not announce any more`, [owner])
  await move(`The manifest is edited back: ${owner} may announce again, and comes first in the election`, [])
  return { address, owner, moves }
}

async function show(lab: Lab, terminal: Terminal, say: (text: string) => void): Promise<void> {
  const status = await lab.status(nodes[0])
  const web = status?.services.find(service => service.name === 'web')
  if (web) {
    const rows = web.addresses.map(one => [
      one,
      paint(terminal, 'green', web.owner ?? 'nobody'),
      web.succession.join(' > '),
    ])
    for (const line of table(['ADDRESS', 'OWNER', 'SUCCESSION'], rows).split('\n')) say(`  ${line}`)
  }
  const neighbour = (await lab.net.ipIn('client', 'neigh', 'show', address)).trim()
  say(`  client's neighbour table: ${neighbour || 'nothing yet'}`)
  say(`  client's last answer came from: ${lab.answers.at(-1)?.node ?? 'nobody'}`)
}
