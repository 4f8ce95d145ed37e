import type { ChildProcess } from 'node:child_process'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SpeakerStatus } from '@carillon/core'
import type { LabNet } from './lab-net.ts'

const bin = fileURLToPath(new URL('../../bin/carillon.js', import.meta.url))
const webServer = fileURLToPath(new URL('./web-server.js', import.meta.url))

/** The nodes of a lab: on each runs `carillon run`, on one folder of manifests, and a web server that answers with the node's name. */
export class LabSpeakers implements AsyncDisposable {
  readonly #net: LabNet
  /** Address by node. */
  readonly #nodes: ReadonlyMap<string, string>
  readonly #speakers = new Map<string, ChildProcess>()
  #folder = ''

  constructor(net: LabNet, nodes: ReadonlyMap<string, string>) {
    this.#net = net
    this.#nodes = nodes
  }

  /** Writes the manifests anew, in one step. */
  async edit(manifests: string): Promise<void> {
    if (this.#folder === '') this.#folder = await mkdtemp(join(tmpdir(), 'carillon-lab-'))
    const file = join(this.#folder, 'cluster.yaml')
    await writeFile(`${file}.new`, manifests)
    await rename(`${file}.new`, file)
  }

  serveWeb(node: string): void {
    this.#net.spawn(node, process.execPath, [webServer, node, '80'], { stdio: 'ignore' })
  }

  start(node: string): void {
    const peers = [...this.#nodes]
      .filter(([other]) => other !== node)
      .flatMap(([, address]) => ['--gossip-join', address])
    const what = ['run', '--node', node, '--manifests', this.#folder, ...peers]
    const args = [bin, ...what, '--log-level', 'error', '--log-format', 'pretty']
    const stdio = ['ignore', 'ignore', 'inherit'] as const
    this.#speakers.set(node, this.#net.spawn(node, process.execPath, args, { stdio: [...stdio] }))
  }

  /** Sends a signal to a node's speaker; its web server goes on. */
  signal(node: string, signal: NodeJS.Signals): void {
    this.#speakers.get(node)?.kill(signal)
  }

  async status(node: string): Promise<SpeakerStatus | undefined> {
    const { code, stdout } = await this.#net.exec(node, process.execPath, [bin, 'status', '--json'])
    return code === 0 ? (JSON.parse(stdout) as SpeakerStatus) : undefined
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#folder !== '') await rm(this.#folder, { recursive: true, force: true })
  }
}
