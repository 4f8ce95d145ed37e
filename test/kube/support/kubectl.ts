import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env } from 'node:process'
import { createInterface } from 'node:readline'

/** What a run of kubectl came to. */
export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** kubectl, with a home and a configuration of its own. */
export class Kubectl implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'kubectl-'))
  readonly #namespace: string
  readonly #program: string

  /** @param program another kubectl than this machine's */
  constructor(kubeconfig: string, namespace: string, program = 'kubectl') {
    this.#namespace = namespace
    this.#program = program
    writeFileSync(join(this.#folder, 'config'), kubeconfig)
  }

  #spawn(
    args: readonly string[],
    more: Readonly<Record<string, string>> = {},
  ): ChildProcessWithoutNullStreams {
    const { PATH = '' } = env
    return spawn(this.#program, ['--namespace', this.#namespace, ...args], {
      env: { PATH, HOME: this.#folder, KUBECONFIG: join(this.#folder, 'config'), ...more },
    })
  }

  /** Runs it to its end. */
  async run(args: readonly string[], input = '', more: Readonly<Record<string, string>> = {}): Promise<Ran> {
    const child = this.#spawn(args, more)
    let [out, err] = ['', '']
    child.stdout.on('data', chunk => {
      out += chunk
    })
    child.stderr.on('data', chunk => {
      err += chunk
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', reject)
      child.on('close', code => resolve(code ?? -1))
    })
    return { code, out, err }
  }

  /** What it prints where it has to succeed. */
  async must(
    args: readonly string[],
    input = '',
    more: Readonly<Record<string, string>> = {},
  ): Promise<string> {
    const { code, out, err } = await this.run(args, input, more)
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${err}`)
    return out
  }

  /** The lines of a run that goes on until it is stopped. */
  follow(args: readonly string[]): { readonly lines: AsyncIterator<string>; stop(): void } {
    const child = this.#spawn(args)
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    return { lines, stop: () => child.kill() }
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** A printed table: its head, and its rows by the names of their columns. */
export function printed(text: string): readonly Readonly<Record<string, string>>[] {
  const [head = '', ...rows] = text.trimEnd().split('\n')
  const names = head.trim().split(/ {2,}/)
  return rows.map(row =>
    Object.fromEntries(
      row
        .trim()
        .split(/ {2,}/)
        .map((cell, index) => [names[index] ?? '', cell] as const),
    ),
  )
}
