import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

const hook = new URL('./typescript.mjs', import.meta.url).href
const flags = ['--import', hook, '--conditions=@carillon/source']

/** What a program printed and how it ended. */
export interface Ended {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

/**
 * Runs a TypeScript program of `programs/` with a plain Node and our sources. It starts in the network namespace of the
 * caller; `through` puts another program in front (`['setpriv', ...]`).
 */
export function runProgram(
  name: string,
  options: { readonly through?: readonly string[]; readonly nodeFlags?: readonly string[] } = {},
): Promise<Ended> {
  const file = fileURLToPath(new URL(`../programs/${name}`, import.meta.url))
  const line = [...(options.through ?? []), process.execPath, ...(options.nodeFlags ?? []), ...flags, file]
  const [command, ...args] = line as [string, ...string[]]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', status => resolve({ status, out, err }))
  })
}

/** Starts a TypeScript program of `programs/` as a worker thread. */
export function startWorker(name: string, workerData: unknown): Worker {
  return new Worker(new URL(`../programs/${name}`, import.meta.url), { workerData, execArgv: flags })
}
