import { Buffer } from 'node:buffer'
import { CarillonError } from '@carillon/core'

/** Something that reads what others wrote. */
export interface Parser {
  /** Also the folder of its corpus. */
  readonly name: string
  /**
   * Reads bytes, and says in a few words what they came to: inputs that come to something new are kept as starting points for others.
   * Anything that it throws is a finding.
   */
  readonly read: (bytes: Uint8Array) => string | Promise<string>
  /** Words that turn up in what it reads. */
  readonly words?: readonly string[]
}

/** What reading came to, where a coded error is an answer like any other. */
export async function coded(read: () => string | Promise<string>): Promise<string> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof CarillonError) return `${error.code} ${error.details.field ?? ''}`
    throw error
  }
}

/** Bytes as UTF-8 text, as files and bodies are read. */
export const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')

/** The kinds of things in a list, each once. */
export const kindsOf = (list: readonly string[]): string => [...new Set(list)].sort().join(' ')

/** Throws when reading has changed what every object inherits. */
export function unpolluted(): void {
  const bare: object = {}
  for (const key in bare) throw new Error(`every object has a property ${key} now`)
}
