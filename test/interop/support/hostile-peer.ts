import { createInterface } from 'node:readline'
import type { LabNet } from '@carillon/cli/lab'
import { eventually } from '../../lab/support/speaker-lab.ts'
import type { Heard, Scripts } from '../programs/hostile-peer.ts'
import { Daemon } from './routers/daemon.ts'
import { translated } from './translated.ts'

/** Peers that do as their scripts say (`programs/hostile-peer.ts`), on the addresses of a host. */
export class HostilePeers implements AsyncDisposable {
  readonly #daemon: Daemon
  readonly #heard: Heard[] = []

  private constructor(daemon: Daemon) {
    this.#daemon = daemon
    const { stdout } = daemon.streams
    if (stdout) createInterface(stdout).on('line', line => this.#heard.push(JSON.parse(line) as Heard))
  }

  static async start(net: LabNet, host: string, scripts: Scripts): Promise<HostilePeers> {
    const words = [await translated('hostile-peer'), JSON.stringify(scripts)]
    // Its own standard input keeps what it says out of its log.
    const stdio = ['pipe', 'pipe', 'pipe'] as ('pipe' | 'ignore')[]
    const peers = new HostilePeers(new Daemon(net, host, process.execPath, words, { stdio }))
    await eventually('the peers listen', () => peers.#heard[0])
    return peers
  }

  /** Bodies of the messages of a type that the peer at an address was sent, in hex. */
  heard(at: string, type: number): readonly string[] {
    return this.#heard.filter(one => one.at === at && one.type === type).map(({ hex }) => hex)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#daemon.kill()
  }
}
