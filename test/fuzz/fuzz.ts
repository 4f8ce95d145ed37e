// node --import ../lab/support/typescript.mjs fuzz.ts SECONDS SEED KEEP [PARSER...], on compiled packages
// Feeds every parser with changed inputs of its corpus. An input that fails becomes a file of the corpus, which every later test reads.
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { keep } from './corpus.ts'
import { parsers } from './parsers.ts'
import { type Done, header, patienceMs, presentBytes, type Task } from './work.ts'

const [seconds = '60', seedText = '1', keeps = '', ...asked] = process.argv.slice(2)
const seed = Number(seedText)
const chosen = parsers.filter(({ name }) => asked.length === 0 || asked.some(part => name.includes(part)))
const say = (line: string): boolean => process.stdout.write(`${line}\n`)
const hook = new URL('../lab/support/typescript.mjs', import.meta.url).href

/** A thread that reads inputs; where one does not end, or ends the thread, another thread takes its place. */
class Reader {
  readonly #present = new SharedArrayBuffer(presentBytes)
  #worker: Worker | undefined

  async fuzz(task: Task): Promise<Done> {
    this.#worker ??= new Worker(new URL('./fuzz-thread.ts', import.meta.url), {
      workerData: this.#present,
      execArgv: ['--import', hook],
    })
    const worker = this.#worker
    const counter = new Int32Array(this.#present, 0, 2)
    Atomics.store(counter, 0, 0)
    let done: Done | undefined
    const hear = (message: Done): void => {
      done = message
    }
    const fail = async (message: string): Promise<void> => {
      this.#worker = undefined
      const bytes = new Uint8Array(this.#present.slice(header, header + Atomics.load(counter, 1)))
      done ??= { runs: Atomics.load(counter, 0), found: [], failures: [{ bytes, message }] }
      await worker.terminate()
    }
    const died = (error: Error): void => void fail(error.stack ?? error.message)
    worker.once('message', hear).once('error', died)
    worker.postMessage(task)
    let [last, since] = [0, performance.now()]
    while (!done) {
      await pause(50)
      const now = Atomics.load(counter, 0)
      if (now !== last || now === 0) [last, since] = [now, performance.now()]
      else if (performance.now() - since > 5 * patienceMs) await fail('reading it does not end')
    }
    worker.off('message', hear).off('error', died)
    return done
  }

  async end(): Promise<void> {
    await this.#worker?.terminate()
  }
}

if (chosen.length === 0) {
  process.stderr.write(`There is no such parser; there are: ${parsers.map(({ name }) => name).join(', ')}.\n`)
  process.exit(2)
}
say(`seed ${seed}, ${chosen.length} parsers`)
const reader = new Reader()
let failed = 0
for (const { name } of chosen) {
  const { runs, found, failures } = await reader.fuzz({
    parser: name,
    seed,
    seconds: Number(seconds) / chosen.length,
  })
  say(`${name}: ${runs} inputs, ${found.length} new outcomes, ${failures.length} failures`)
  if (keeps === 'keep') for (const bytes of found) keep(name, 'found', bytes)
  for (const { bytes, message } of failures) say(`  ${keep(name, 'failing', bytes)}\n  ${message}`)
  failed += failures.length
}
await reader.end()
process.exitCode = failed > 0 ? 1 : 0
