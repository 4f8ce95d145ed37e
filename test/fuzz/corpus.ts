import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = (parser: string): URL => new URL(`./corpus/${parser}/`, import.meta.url)

/** An input of the corpus. */
export interface Input {
  readonly name: string
  readonly bytes: Uint8Array
}

/** The inputs that are kept for a parser, in a fixed order. */
export function corpusOf(parser: string): readonly Input[] {
  const names = readdirSync(folder(parser)).sort()
  return names.map(name => ({ name, bytes: new Uint8Array(readFileSync(new URL(name, folder(parser)))) }))
}

/** The parsers for which something is kept. */
export const corpora = (): readonly string[] => readdirSync(new URL('./corpus/', import.meta.url)).sort()

/** Keeps an input; gives the path of its file, which is named after what is in it. */
export function keep(parser: string, kind: 'failing' | 'found', bytes: Uint8Array): string {
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 12)
  mkdirSync(folder(parser), { recursive: true })
  const file = new URL(`${kind}-${digest}`, folder(parser))
  writeFileSync(file, bytes)
  return fileURLToPath(file)
}
