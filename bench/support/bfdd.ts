import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { execute, vty } from '@carillon/cli/lab'
import { ended, type Segment, type SegmentNode } from './segment.ts'

/** Where Debian puts FRR's daemons. */
const programs = '/usr/lib/frr'

export const frrInstalled = (): boolean => existsSync(join(programs, 'bfdd'))

/** FRR's bfdd, with the zebra that it learns interfaces from, on a node of a segment. */
export class Bfdd {
  readonly #folder: string
  readonly #daemons: readonly ChildProcess[]

  private constructor(folder: string, daemons: readonly ChildProcess[]) {
    this.#folder = folder
    this.#daemons = daemons
  }

  /** Starts it with a session to each of these peers. */
  static async start(
    segment: Segment,
    node: SegmentNode,
    peers: readonly string[],
    intervalMs: number,
    multiplier: number,
  ): Promise<Bfdd> {
    const folder = join(segment.folder, `frr-${node.name}`)
    mkdirSync(folder, { recursive: true })
    // The daemons give up root, and have to reach their files.
    await execute('chown', ['frr:frr', folder])
    await execute('chmod', ['a+rx', segment.folder])
    const sessions = peers.map(peer => ` peer ${peer}\n  profile p\n exit`)
    const profile = [
      ` profile p`,
      `  transmit-interval ${intervalMs}`,
      `  receive-interval ${intervalMs}`,
      `  detect-multiplier ${multiplier}`,
      ` exit`,
    ]
    writeFileSync(join(folder, 'bfdd.conf'), ['bfd', ...profile, ...sessions, 'exit', ''].join('\n'))
    writeFileSync(join(folder, 'zebra.conf'), '')
    const run = (name: string, ...more: readonly string[]): ChildProcess => {
      const words = [
        ...[
          'netns',
          'exec',
          segment.net.namespace(node.name),
          join(programs, name),
          '-u',
          'frr',
          '-g',
          'frr',
        ],
        ...['-P', '0', '--vty_socket', folder, '-z', join(folder, 'zserv.api'), '--log', 'stdout'],
        ...['-i', join(folder, `${name}.pid`), '-f', join(folder, `${name}.conf`), ...more],
      ]
      return spawn('ip', words, { stdio: 'ignore' })
    }
    const zebra = run('zebra')
    await pause(500)
    return new Bfdd(folder, [zebra, run('bfdd', '--bfdctl', join(folder, 'bfdctl.sock'))])
  }

  /** How often sessions went down, and how many are up. */
  async count(): Promise<{ readonly downs: number; readonly up: number }> {
    const show = async <Row>(command: string): Promise<readonly Row[]> =>
      JSON.parse(await vty(join(this.#folder, 'bfdd.vty'), command).catch(() => '[]')) as readonly Row[]
    const peers = await show<{ readonly status: string }>('show bfd peers json')
    const counters = await show<{ readonly 'session-down': number }>('show bfd peers counters json')
    return {
      downs: counters.reduce((sum, row) => sum + row['session-down'], 0),
      up: peers.filter(({ status }) => status === 'up').length,
    }
  }

  async stop(): Promise<void> {
    for (const daemon of this.#daemons) {
      daemon.kill('SIGKILL')
      await ended(daemon)
    }
  }
}
