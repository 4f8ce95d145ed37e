import { type ChildProcess, spawn } from 'node:child_process'
import { freePort } from '../../support/free-port.ts'
import { bin, eventually } from './speaker-lab.ts'

/** The program on this host itself, where it announces nothing: all interfaces are excluded. */
export class LoneSpeaker implements AsyncDisposable {
  /** Where its page is. */
  readonly url: string
  readonly #process: ChildProcess

  private constructor(process: ChildProcess, url: string) {
    this.#process = process
    this.url = url
  }

  /** Starts `carillon` with these words, and waits until it serves HTTP. */
  static async start(...words: readonly string[]): Promise<LoneSpeaker> {
    const port = await freePort()
    const place = ['--http', `127.0.0.1:${port}`, '--exclude-interfaces', '.*']
    const child = spawn(process.execPath, [bin, ...words, ...place], { stdio: ['ignore', 'pipe', 'pipe'] })
    let log = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        log += chunk
      })
    const speaker = new LoneSpeaker(child, `http://127.0.0.1:${port}/`)
    const asked = async (): Promise<true | undefined> =>
      (await fetch(`${speaker.url}readyz`).catch(() => undefined))?.ok || undefined
    await eventually('the speaker is ready', asked, 50).catch((error: Error) => {
      child.kill('SIGKILL')
      throw new Error(`${error.message}\n${log}`)
    })
    return speaker
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = new Promise(resolve => this.#process.once('exit', resolve))
    this.#process.kill('SIGKILL')
    await gone
  }
}

/** A port of this host for gossip with nobody. */
export const loneGossip = async (): Promise<readonly string[]> => [
  '--gossip-bind',
  `127.0.0.1:${await freePort()}`,
]
