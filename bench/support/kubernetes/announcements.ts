import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { ended, type Segment } from '../segment.ts'

/** The segment as the client sees it: when each address was announced by ARP for the first time. */
export class Announcements implements AsyncDisposable {
  /** Milliseconds by the computer's clock, by address. */
  readonly first = new Map<string, number>()
  readonly #process: ChildProcess

  private constructor(process: ChildProcess) {
    this.#process = process
    if (!process.stdout) throw new TypeError('tcpdump needs standard output')
    createInterface(process.stdout).on('line', line => {
      const [, seconds, address = ''] = /^(\d+\.\d+) ARP, Reply (\S+) is-at/.exec(line) ?? []
      if (seconds !== undefined && !this.first.has(address)) this.first.set(address, Number(seconds) * 1000)
    })
  }

  /** Resolves once frames are being read. */
  static async listen(segment: Segment): Promise<Announcements> {
    const words = ['-l', '-n', '-tt', '--immediate-mode', '-B', '16384', '-i', 'eth0', 'arp[6:2] = 2']
    const process = segment.net.spawn('client', 'tcpdump', words, { stdio: ['ignore', 'pipe', 'pipe'] })
    const one = new Announcements(process)
    await new Promise<void>((resolve, reject) => {
      process.stderr?.on('data', (text: Buffer) => {
        if (text.includes('listening on')) resolve()
      })
      process.once('exit', code => reject(new Error(`tcpdump ended with ${code}`)))
    })
    return one
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL')
    await ended(this.#process)
  }
}
