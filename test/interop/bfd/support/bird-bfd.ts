import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { birdControl, type LabNet } from '@carillon/cli/lab'
import { eventually } from '../../../lab/support/speaker-lab.ts'
import { Daemon } from '../../support/routers/daemon.ts'

/** A BFD session as BIRD shows it; in milliseconds. */
export interface BirdSession {
  readonly peer: string
  readonly state: 'Up' | 'Init' | 'Down' | 'AdminDown'
  readonly transmitMs: number
  readonly detectMs: number
}

const row = /^([\da-f.:]+)\s+\S+\s+(Up|Init|Down|AdminDown)\s+\S+\s+([\d.]+)\s+([\d.]+)/gm

/** BIRD with nothing but BFD, in a host of a lab. */
export class BirdBfd implements AsyncDisposable {
  readonly #folder: string
  readonly #daemon: Daemon

  private constructor(folder: string, daemon: Daemon) {
    this.#folder = folder
    this.#daemon = daemon
  }

  /** Starts it with these lines in its block `protocol bfd`; resolves when it takes commands. */
  static async start(net: LabNet, host: string, folder: string, lines: readonly string[]): Promise<BirdBfd> {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, 'bird.conf'), configuration(lines))
    const daemon = new Daemon(net, host, 'bird', [
      ...['-f', '-c', join(folder, 'bird.conf'), '-s', join(folder, 'ctl'), '-P', join(folder, 'pid')],
    ])
    const bird = new BirdBfd(folder, daemon)
    const answers = (): Promise<true | undefined> =>
      bird.#command('show status').then(
        () => true,
        () => undefined,
      )
    await eventually('BIRD answers', answers).catch((error: Error) => {
      throw new Error(`${error.message}\n${daemon.log}`)
    })
    return bird
  }

  #command(command: string): Promise<string> {
    return birdControl(join(this.#folder, 'ctl'), command)
  }

  /** Goes on with other lines. */
  async configure(lines: readonly string[]): Promise<void> {
    await writeFile(join(this.#folder, 'bird.conf'), configuration(lines))
    await this.#command('configure')
  }

  async sessions(): Promise<readonly BirdSession[]> {
    const text = await this.#command('show bfd sessions')
    return [...text.matchAll(row)].map(([, peer = '', state, interval, timeout]) => ({
      peer,
      state: state as BirdSession['state'],
      transmitMs: Math.round(Number(interval) * 1000),
      detectMs: Math.round(Number(timeout) * 1000),
    }))
  }

  /** Waits until BIRD sees a session like this. */
  async becomes(peer: string, wanted: Partial<BirdSession>): Promise<BirdSession> {
    let session: BirdSession | undefined
    const look = async (): Promise<BirdSession | undefined> => {
      session = (await this.sessions()).find(one => one.peer === peer)
      const fits = Object.entries(wanted).every(
        ([key, value]) => session?.[key as keyof BirdSession] === value,
      )
      return fits ? session : undefined
    }
    return eventually(`BIRD sees ${peer} as ${JSON.stringify(wanted)}`, look, 15).catch((error: Error) => {
      throw new Error(`${error.message}: it is ${JSON.stringify(session)}`)
    })
  }

  /** Ends it without a word. */
  async kill(): Promise<void> {
    await this.#daemon.kill()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}

const configuration = (lines: readonly string[]): string =>
  `router id 10.80.0.2;\nprotocol device { }\nprotocol bfd {\n  ${lines.join('\n  ')}\n}\n`
