import { readFile } from 'node:fs/promises'
import { CarillonError, type Problem } from '@carillon/core'

interface PasswordFile {
  readonly peer: string
  readonly path: string
}

/** What the files of passwords hold at one moment. */
export interface Passwords {
  /** By name of the BGPPeer; of a file that cannot be used, what it held before. */
  readonly passwords: ReadonlyMap<string, string>
  /** What is wrong with files. No message shows what they hold. */
  readonly problems: readonly Problem[]
}

const nothing: Passwords = { passwords: new Map(), problems: [] }

const refused = (why: string, details: object = {}): CarillonError =>
  new CarillonError('USAGE', `--bgp-password-file ${why}`, { ...details })

/** The passwords of BGP peers, each in a file; a line break at the end of a file is not part of the password. */
export class PasswordFiles {
  readonly #files: readonly PasswordFile[]
  #last: Passwords = nothing

  /** `given`: each as `PEER=FILE`. Throws `USAGE`. */
  constructor(given: readonly string[]) {
    const files = new Map<string, PasswordFile>()
    for (const text of given) {
      const [, peer, path] = /^([^=]+)=(.+)$/.exec(text) ?? []
      // What was given may be the password itself, so it is not shown.
      if (peer === undefined || path === undefined)
        throw refused('wants PEER=FILE, such as tor-1=/etc/carillon/tor-1')
      if (files.has(peer)) throw refused(`${peer}: there are two files for this peer: keep one`)
      files.set(peer, { peer, path })
    }
    this.#files = [...files.values()]
  }

  get paths(): readonly string[] {
    return this.#files.map(({ path }) => path)
  }

  /** Reads them for the first time. Throws `USAGE` with the name of a file that cannot be used. */
  async first(): Promise<Passwords> {
    const { problems } = await this.read()
    const [problem] = problems
    if (problem) throw refused(problem.message)
    return this.#last
  }

  /** Reads them anew; gives the very same object while there is nothing new. */
  async read(): Promise<Passwords> {
    const last = this.#last
    const passwords = new Map<string, string>()
    const problems: Problem[] = []
    for (const { peer, path } of this.#files) {
      const content = await readPassword(path)
      const known = last.passwords.get(peer)
      if (typeof content === 'string') passwords.set(peer, content)
      else if (known !== undefined) passwords.set(peer, known)
      if (typeof content !== 'string')
        problems.push({
          severity: 'error',
          kind: 'BGPPeer',
          name: peer,
          field: 'spec.password',
          message: `${path}: ${content.why}`,
        })
    }
    const same = [...passwords].every(([peer, password]) => last.passwords.get(peer) === password)
    const kept = same && passwords.size === last.passwords.size
    const asBefore = JSON.stringify(problems) === JSON.stringify(last.problems)
    if (!kept || !asBefore)
      this.#last = {
        passwords: kept ? last.passwords : passwords,
        problems: asBefore ? last.problems : problems,
      }
    return this.#last
  }
}

/** The password in a file, or why there is none. */
async function readPassword(path: string): Promise<string | { readonly why: string }> {
  try {
    const password = (await readFile(path, 'utf8')).replace(/\r?\n$/, '')
    return password === '' ? { why: 'it is empty' } : password
  } catch (error) {
    return { why: (error as NodeJS.ErrnoException).code ?? 'it cannot be read' }
  }
}
