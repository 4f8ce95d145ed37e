import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { setUrgency } from '@carillon/sockets'

const EVERY_MS = 5

/**
 * A thread in real time that does nothing but look at the clock: how long the machine as a whole stands still, which is nobody's fault
 * who runs on it.
 */
export class Standstill {
  readonly #worker: Worker = new Worker(new URL(import.meta.url))
  /** Milliseconds, of those that lasted longer than 50. */
  readonly lasted: number[] = []

  constructor() {
    this.#worker.on('message', (ms: number) => this.lasted.push(ms))
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }
}

if (!isMainThread && parentPort) {
  const main = parentPort
  setUrgency(true)
  let before = performance.now()
  setInterval(() => {
    const now = performance.now()
    const late = now - before - EVERY_MS
    before = now
    if (late > 50) main.postMessage(late)
  }, EVERY_MS)
}
