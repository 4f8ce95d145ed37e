import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { LabNet } from '@carillon/cli/lab'

const program = fileURLToPath(new URL('./asker.mjs', import.meta.url))

/** An answer over HTTP; code 0 when there was none. */
export interface Heard {
  readonly code: number
  readonly text: string
}

/** A process inside a lab host that asks the speaker there over HTTP. The lab ends it. */
export class Asker {
  readonly #process: ChildProcess
  readonly #waiting: ((heard: Heard) => void)[] = []

  constructor(net: LabNet, host: string) {
    this.#process = net.spawn(host, process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] })
    const { stdout } = this.#process
    if (stdout) createInterface(stdout).on('line', line => this.#waiting.shift()?.(JSON.parse(line) as Heard))
    this.#process.once('exit', () => {
      for (const answer of this.#waiting.splice(0)) answer({ code: 0, text: '' })
    })
  }

  ask(path: string): Promise<Heard> {
    return new Promise(resolve => {
      this.#waiting.push(resolve)
      this.#process.stdin?.write(`${path}\n`)
    })
  }
}
