import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'

/** A process that is told something line by line, and answers each line with one line of JSON. */
export class Dialogue {
  readonly #process: ChildProcess
  readonly #waiting: {
    readonly resolve: (answer: unknown) => void
    readonly reject: (error: Error) => void
  }[] = []

  /** @param process with pipes for what it hears and what it says */
  constructor(process: ChildProcess) {
    this.#process = process
    if (!process.stdout) throw new TypeError('a dialogue needs standard output')
    createInterface(process.stdout).on('line', line => this.#waiting.shift()?.resolve(JSON.parse(line)))
    process.once('exit', code => {
      for (const { reject } of this.#waiting.splice(0))
        reject(new Error(`${process.spawnargs.join(' ')}: ended with ${code}`))
    })
  }

  /** What it says next, unasked. */
  next<Answer>(): Promise<Answer> {
    return new Promise((resolve, reject) =>
      this.#waiting.push({ resolve: resolve as (answer: unknown) => void, reject }),
    )
  }

  /** Says something; gives the answer. */
  ask<Answer>(line: string): Promise<Answer> {
    const answer = this.next<Answer>()
    this.#process.stdin?.write(`${line}\n`)
    return answer
  }
}
