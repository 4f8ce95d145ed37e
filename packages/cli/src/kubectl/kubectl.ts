import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { CarillonError } from '@carillon/core'

/** Bytes that an answer may have: the status of a large cluster. */
const largest = 512 << 20

/** kubectl with the flags that say which cluster is meant; it knows how to get in, whatever that takes. */
export class Kubectl {
  readonly #flags: readonly string[]

  constructor(flags: readonly string[]) {
    this.#flags = flags
  }

  /** What it prints. Throws `KUBECTL_FAILED` with what it says instead. */
  run(...args: readonly string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      execFile('kubectl', [...this.#flags, ...args], { maxBuffer: largest }, (error, stdout, stderr) => {
        if (error) reject(failed(stderr || error.message))
        else resolve(stdout)
      })
    })
  }

  /** What it prints, while it does; until the signal comes, or it ends by itself. Throws `KUBECTL_FAILED` with what it says instead. */
  async *stream(signal: AbortSignal, ...args: readonly string[]): AsyncGenerator<Uint8Array> {
    const child = spawn('kubectl', [...this.#flags, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      signal,
      // Ctrl-C is for us, who end it then; it would say that it was interrupted.
      detached: true,
    })
    let err = ''
    child.stderr.on('data', chunk => {
      err += chunk
    })
    const ended = new Promise<CarillonError | undefined>(resolve => {
      child.once('error', error => resolve(signal.aborted ? undefined : failed(error.message)))
      child.once('close', code => resolve(code === 0 || signal.aborted ? undefined : failed(err)))
    })
    yield* child.stdout
    const error = await ended
    if (error) throw error
  }

  /**
   * Forwards a free local port to one of a pod, until the signal comes or this process ends; gives the local one. The connection comes from
   * inside the pod, so that it also reaches what listens on loopback there. Throws `KUBECTL_FAILED`.
   */
  forward(namespace: string, pod: string, port: number, signal?: AbortSignal): Promise<number> {
    const words = ['port-forward', '--namespace', namespace, `pod/${pod}`, `:${port}`]
    const child: ChildProcessByStdio<null, Readable, Readable> = spawn(
      'kubectl',
      [...this.#flags, ...words],
      { stdio: ['ignore', 'pipe', 'pipe'], ...(signal && { signal }) },
    )
    const end = (): void => void child.kill()
    process.once('exit', end)
    child.once('close', () => process.off('exit', end))
    return new Promise((resolve, reject) => {
      let [out, err] = ['', '']
      child.stderr.on('data', chunk => {
        err += chunk
      })
      child.stdout.on('data', chunk => {
        out += chunk
        const found = /^Forwarding from \S+:(\d+) ->/m.exec(out)?.[1]
        if (found === undefined) return
        // It is to stay for as long as this process has something to do, and no longer.
        child.unref()
        for (const stream of [child.stdout, child.stderr] as unknown as { unref(): void }[]) stream.unref()
        resolve(Number(found))
      })
      child.on('error', error => reject(failed(error.message)))
      child.on('close', () => reject(failed(err || 'the port was not forwarded')))
    })
  }
}

function failed(text: string): CarillonError {
  const missing = /ENOENT/.test(text)
  return new CarillonError(
    'KUBECTL_FAILED',
    missing ? 'kubectl is not there, or not in the PATH' : `kubectl says: ${text.trim()}`,
  )
}
