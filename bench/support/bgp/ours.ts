import type { ChildProcess } from 'node:child_process'
import { execPath } from 'node:process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { End } from './end.ts'
import type { Sender, SenderKind } from './sender.ts'

const program = fileURLToPath(new URL('./speaker.js', import.meta.url))

class Ours implements Sender {
  readonly #end: End
  #process: ChildProcess | undefined

  constructor(end: End) {
    this.#end = end
  }

  async start(): Promise<void> {
    const { segment, node, peer, as, peerAs } = this.#end
    const told = JSON.stringify({ peerAddress: peer, myAsn: as, peerAsn: peerAs })
    const child = segment.net.spawn(node.name, execPath, [program, told], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#process = child
    await new Promise<void>((resolve, reject) => {
      if (child.stdout) createInterface(child.stdout).once('line', () => resolve())
      child.once('exit', code => reject(new Error(`the speaker ended with ${code} before it was ready`)))
    })
  }

  #say(line: string): Promise<number> {
    const from = performance.now()
    this.#process?.stdin?.write(`${line}\n`)
    return Promise.resolve(from)
  }

  announce(count: number): Promise<number> {
    return this.#say(`announce ${count}`)
  }

  change(announce: boolean): Promise<number> {
    return this.#say(announce ? 'add' : 'remove')
  }

  processes(): readonly number[] {
    return this.#process?.pid === undefined ? [] : [this.#process.pid]
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

/** `BgpSpeaker` of `@carillon/bgp`, as another program embeds it. */
export const ours: SenderKind = {
  name: 'carillon',
  command: execPath,
  make: end => new Ours(end),
}
