// Parsers, one after another, in a thread of its own: an input that never ends can be given up from outside.
import { performance } from 'node:perf_hooks'
import { parentPort, workerData } from 'node:worker_threads'
import { seededRandom } from '@carillon/core/testing'
import { corpusOf } from './corpus.ts'
import { mutate } from './mutate.ts'
import type { Parser } from './parser.ts'
import { parsers } from './parsers.ts'
import { type Done, header, patienceMs, type Task } from './work.ts'

/** Failures and finds of one parser that are told; more of the same help nobody. */
const most = 20

const present = workerData as SharedArrayBuffer
const counter = new Int32Array(present, 0, 2)
const shown = new Uint8Array(present, header)

function show(bytes: Uint8Array, run: number): void {
  const size = Math.min(bytes.length, shown.length)
  shown.set(bytes.subarray(0, size))
  Atomics.store(counter, 1, size)
  Atomics.store(counter, 0, run)
}

async function fuzz({ name, read, words = [] }: Parser, { seed, seconds }: Task): Promise<Done> {
  const random = seededRandom(seed)
  const pool = corpusOf(name).map(({ bytes }) => bytes)
  const outcomes = new Set<string>()
  const told = new Set<string>()
  const found: Uint8Array[] = []
  const failures: { bytes: Uint8Array; message: string }[] = []
  let runs = 0
  const tryOut = async (bytes: Uint8Array, known: boolean): Promise<void> => {
    show(bytes, ++runs)
    const from = performance.now()
    try {
      const outcome = await read(bytes)
      const took = performance.now() - from
      if (took > patienceMs) throw new Error(`reading it took ${Math.round(took)} ms`)
      if (outcomes.has(outcome)) return
      outcomes.add(outcome)
      if (known) return
      pool.push(bytes)
      if (found.length < most) found.push(bytes)
    } catch (error) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
      const kind = message.replace(/\d+/g, 'n')
      if (told.has(kind) || failures.length >= most) return
      told.add(kind)
      failures.push({ bytes, message })
    }
  }
  for (const bytes of [...pool]) await tryOut(bytes, true)
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) await tryOut(mutate(random, pool, words), false)
  return { runs, found, failures }
}

parentPort?.on('message', (task: Task) => {
  const parser = parsers.find(({ name }) => name === task.parser)
  if (!parser) throw new Error(`there is no parser ${task.parser}`)
  void fuzz(parser, task).then(done => parentPort?.postMessage(done))
})
