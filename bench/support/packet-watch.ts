import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { ended, type Segment, type SegmentNode } from './segment.ts'

/** When certain packets pass the interface of a node, by the kernel's stamp; the times are those of `calendar`. */
export class PacketWatch {
  readonly times: number[] = []
  readonly #process: ChildProcess
  /** It sees what passes from now on. */
  readonly ready: Promise<void>

  /** `filter`: in the language of tcpdump. */
  constructor(segment: Segment, node: SegmentNode, direction: 'in' | 'out', filter: string) {
    const words = ['-i', 'eth0', '-Q', direction, '--immediate-mode', '-l', '-tt', '-n', '-Z', 'root', filter]
    this.#process = segment.net.spawn(node.name, 'tcpdump', words, { stdio: ['ignore', 'pipe', 'pipe'] })
    const { stderr, stdout } = this.#process
    this.ready = new Promise((resolve, reject) => {
      stderr?.on('data', (chunk: Buffer) => {
        if (chunk.toString().includes('listening on')) resolve()
      })
      this.#process.once('error', reject)
      this.#process.once('exit', () => reject(new Error('tcpdump ended before it saw anything')))
    })
    if (stdout)
      createInterface(stdout).on('line', line => {
        const seconds = /^(\d+\.\d+) /.exec(line)?.[1]
        if (seconds !== undefined) this.times.push(Number(seconds) * 1000)
      })
  }

  first(after: number): number | undefined {
    return this.times.find(at => at > after)
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGKILL')
    await ended(this.#process)
  }
}

/** The first packet of a BFD message that says that a session is down: byte 9 of UDP is byte 1 of BFD, which begins with the state. */
export const bfdDown = 'udp dst port 3784 and udp[9] & 0xc0 = 0x40'

/** A segment that begins with an UPDATE of BGP: byte 18 of a message is its type. */
export const bgpUpdate = 'tcp port 179 and tcp[((tcp[12] & 0xf0) >> 2) + 18] = 2'
