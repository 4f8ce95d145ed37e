import { chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execute, type LabNet, vty } from '@carillon/cli/lab'
import { eventually } from '../../../lab/support/speaker-lab.ts'
import { Daemon } from '../../support/routers/daemon.ts'

const programs = '/usr/lib/frr'

/** A BFD session as FRR shows it; intervals in milliseconds. */
export interface FrrBfd {
  readonly peer: string
  readonly status: 'up' | 'init' | 'down' | 'shutdown'
  readonly diagnostic: string
  readonly 'remote-diagnostic': string
  readonly 'transmit-interval': number
  readonly 'remote-transmit-interval': number
  readonly 'remote-receive-interval': number
  readonly 'remote-detect-multiplier': number
}

/** What FRR has counted of a session. */
export interface FrrCounters {
  readonly peer: string
  readonly 'echo-packet-input': number
  readonly 'echo-packet-output': number
  readonly 'session-down': number
}

/** FRR's bfdd, with the zebra that it learns interfaces from, in a host of a lab. */
export class Bfdd implements AsyncDisposable {
  readonly #folder: string
  readonly #daemons: readonly Daemon[]

  private constructor(folder: string, daemons: readonly Daemon[]) {
    this.#folder = folder
    this.#daemons = daemons
  }

  /** Starts it with this block of configuration (`bfd`, `peer` and so on); resolves when it takes commands. */
  static async start(net: LabNet, host: string, folder: string, config: string): Promise<Bfdd> {
    await mkdir(folder, { recursive: true })
    // The daemons give up root.
    const { stdout: user } = await execute('id', ['-u', 'frr'])
    const { stdout: group } = await execute('id', ['-g', 'frr'])
    await chown(folder, Number(user), Number(group))
    await writeFile(join(folder, 'bfdd.conf'), config)
    await writeFile(join(folder, 'zebra.conf'), '')
    const run = (name: string, ...more: readonly string[]): Daemon =>
      new Daemon(net, host, join(programs, name), [
        ...['-u', 'frr', '-g', 'frr', '-P', '0', '--log', 'stdout', '--vty_socket', folder],
        ...['-z', join(folder, 'zserv.api'), '-i', join(folder, `${name}.pid`)],
        ...['-f', join(folder, `${name}.conf`), ...more],
      ])
    const daemons = [run('zebra')]
    const bfdd = new Bfdd(folder, daemons)
    await eventually('zebra answers', () => bfdd.#answers('zebra'))
    daemons.push(run('bfdd', '--bfdctl', join(folder, 'bfdctl.sock')))
    await eventually('bfdd answers', () => bfdd.#answers('bfdd'))
    return bfdd
  }

  #answers(daemon: string): Promise<true | undefined> {
    return vty(join(this.#folder, `${daemon}.vty`), 'show version').then(
      () => true,
      () => undefined,
    )
  }

  /** Gives commands of the configuration, as in the block `bfd`. */
  async configure(...commands: readonly string[]): Promise<void> {
    await vty(join(this.#folder, 'bfdd.vty'), 'configure terminal', 'bfd', ...commands)
  }

  async session(peer: string): Promise<FrrBfd | undefined> {
    const all = await this.#show<FrrBfd>('show bfd peers json')
    return all.find(one => one.peer === peer)
  }

  async counters(peer: string): Promise<FrrCounters | undefined> {
    const all = await this.#show<FrrCounters>('show bfd peers counters json')
    return all.find(one => one.peer === peer)
  }

  async #show<T>(command: string): Promise<readonly T[]> {
    return JSON.parse(await vty(join(this.#folder, 'bfdd.vty'), command)) as readonly T[]
  }

  /** Waits until FRR sees a session like this. */
  async becomes(peer: string, wanted: Partial<FrrBfd>): Promise<FrrBfd> {
    let session: FrrBfd | undefined
    const look = async (): Promise<FrrBfd | undefined> => {
      session = await this.session(peer)
      const fits = Object.entries(wanted).every(([key, value]) => session?.[key as keyof FrrBfd] === value)
      return fits ? session : undefined
    }
    return eventually(`FRR sees ${peer} as ${JSON.stringify(wanted)}`, look, 15).catch((error: Error) => {
      throw new Error(`${error.message}: it is ${JSON.stringify(session)}`)
    })
  }

  /** Ends it without a word. */
  async kill(): Promise<void> {
    for (const daemon of this.#daemons) await daemon.kill()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
