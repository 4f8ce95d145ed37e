import { readFile } from 'node:fs/promises'
import { CarillonError } from '@carillon/core'

/**
 * Reads the passwords of BGP peers from files, each given as `PEER=FILE`; a line break at the end of a file is not part of the password.
 * Throws `USAGE` with the name of the file, never with what it holds.
 */
export async function readPasswords(given: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const passwords = new Map<string, string>()
  for (const text of given) {
    const [, peer, file] = /^([^=]+)=(.+)$/.exec(text) ?? []
    const refuse = (why: string, cause?: unknown): CarillonError =>
      new CarillonError('USAGE', `--bgp-password-file ${why}`, { peer, file }, { cause })
    // What was given may be the password itself, so it is not shown.
    if (peer === undefined || file === undefined)
      throw refuse('wants PEER=FILE, such as tor-1=/etc/carillon/tor-1')
    if (passwords.has(peer)) throw refuse(`${peer}: there are two files for this peer: keep one`)
    let content: string
    try {
      content = await readFile(file, 'utf8')
    } catch (error) {
      throw refuse(`${file}: ${(error as NodeJS.ErrnoException).code ?? 'it cannot be read'}`, error)
    }
    const password = content.replace(/\r?\n$/, '')
    if (password === '') throw refuse(`${file}: it is empty`)
    passwords.set(peer, password)
  }
  return passwords
}
