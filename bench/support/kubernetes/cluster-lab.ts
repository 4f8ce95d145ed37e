import type { ChildProcess } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { calendar } from '../calendar.ts'
import { Dialogue } from '../dialogue.ts'
import { ended, Segment, type SegmentNode } from '../segment.ts'
import { realNode } from './objects.ts'

const bin = fileURLToPath(new URL('../../../../../packages/cli/bin/carillon.js', import.meta.url))
const program = (name: string): string => fileURLToPath(new URL(`./${name}.js`, import.meta.url))
const port = 7472

/** A process of the cluster, and when it was started. */
export interface Running {
  readonly process: ChildProcess
  readonly startedAt: number
  /** Where it serves its metrics. */
  readonly host: string
}

/** One Service that somebody made. Times in milliseconds by the computer's clock. */
export interface Made {
  readonly from: number
  /** When that somebody saw an address in its status. */
  readonly at: number
  readonly address: string
}

/** An API server, somebody who uses it, a controller and a speaker: each a process; the speaker on a segment with the others. */
export class ClusterLab implements AsyncDisposable {
  readonly segment: Segment
  readonly node: SegmentNode
  readonly #kubeconfig: string
  #server: Dialogue | undefined

  private constructor(segment: Segment) {
    this.segment = segment
    this.node = segment.nodes[0] as SegmentNode
    this.#kubeconfig = join(segment.folder, 'kubeconfig')
  }

  /** Resolves when the API server serves a cluster without Services. */
  static async build(): Promise<ClusterLab> {
    const lab = new ClusterLab(await Segment.build('kubernetes', 1))
    try {
      const words = [program('api-server'), '10.77.0.1', lab.#kubeconfig, lab.node.address]
      lab.#server = new Dialogue(lab.#spawn('client', words))
      await lab.#server.next()
      const secret = join(lab.segment.folder, 'secret')
      mkdirSync(secret)
      writeFileSync(join(secret, 'secretkey'), 'A'.repeat(22))
      return lab
    } catch (error) {
      await lab[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Tells the API server something. */
  async server<Answer>(line: string): Promise<Answer> {
    if (!this.#server) throw new Error('the API server was not started')
    return this.#server.ask(line)
  }

  /** Somebody who makes Services and looks at them. */
  async user(): Promise<Dialogue> {
    const user = new Dialogue(this.#spawn('client', [program('user'), this.#kubeconfig]))
    await user.next()
    return user
  }

  controller(): Running {
    return this.#start('client', 'controller', '--webhook-mode', 'disabled')
  }

  /**
   * @param alone it gossips, and hears nobody: every address is its own. Else it goes by what Kubernetes says of the nodes, and has its share
   */
  speaker(alone: boolean): Running {
    const gossip = ['--ml-labels', 'component=speaker', '--ml-bindaddr', this.node.address]
    const secret = ['--ml-secret-key-path', join(this.segment.folder, 'secret')]
    const own = ['--node-name', realNode, '--pod-name', `speaker-${realNode}`]
    return this.#start(this.node.name, 'speaker', ...own, ...secret, ...(alone ? gossip : []))
  }

  /** The sum of a metric of a process over all its labels. */
  async metric({ host }: Running, name: string): Promise<number> {
    const ask = `require('http').get('http://127.0.0.1:${port}/metrics', r => r.pipe(process.stdout))`
    const { stdout } = await this.segment.net.exec(host, execPath, ['-e', ask])
    const lines = stdout
      .split('\n')
      .filter(line => line.startsWith(name) && /^[{ ]/.test(line.slice(name.length)))
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  }

  /** Resolves when a metric has not moved for some seconds; gives its value. */
  async still(running: Running, name: string, seconds = 12): Promise<number> {
    let value = -1
    let since = calendar()
    for (;;) {
      const now = await this.metric(running, name)
      if (now !== value) {
        value = now
        since = calendar()
      } else if (calendar() - since > seconds * 1000) return value
      // Each answer is long, and itself costs memory.
      await pause(4000)
    }
  }

  /** Resident memory in megabytes. */
  memory({ process }: Running): number {
    const status = readFileSync(`/proc/${process.pid}/status`, 'utf8')
    return (Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024) / 1e6
  }

  async end({ process }: Running): Promise<void> {
    process.kill('SIGTERM')
    await ended(process)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.segment[Symbol.asyncDispose]()
  }

  #start(host: string, command: string, ...words: readonly string[]): Running {
    const startedAt = calendar()
    const where = ['--kubeconfig', this.#kubeconfig, '--namespace', 'metallb-system']
    const all = [bin, command, ...where, '--http', `127.0.0.1:${port}`, '--log-level', 'warn', ...words]
    return { process: this.#spawn(host, all), startedAt, host }
  }

  #spawn(host: string, words: readonly string[]): ChildProcess {
    // `ip netns exec` becomes the program, so that its process is that of the program.
    return this.segment.net.spawn(host, execPath, words, { stdio: ['pipe', 'pipe', 'inherit'] })
  }
}
