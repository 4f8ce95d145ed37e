import { collect, ManifestReader, parseConfig, parseResource } from '@carillon/core'
import { decodeWord } from '../../../packages/cli/src/page/words.ts'
import { decodeClaims } from '../../../packages/core/src/speaker/claims.ts'
import { kindsOf, type Parser, textOf, unpolluted } from '../parser.ts'

/** Manifests as a folder of one file, all the way to a configuration. */
function manifests(path: string, bytes: Uint8Array): string {
  const documents = new ManifestReader().read([{ path, text: textOf(bytes) }])
  const snapshot = collect(
    documents.flatMap(({ resources }) => resources),
    documents.flatMap(({ problems }) => problems),
  )
  const { problems } = parseConfig(snapshot)
  unpolluted()
  const said = [...snapshot.problems, ...problems].map(
    ({ kind, field }) => `${kind} ${field.replace(/\d+/g, 'n')}`,
  )
  return `${documents.length > 3 ? 'many' : documents.length} documents: ${kindsOf(said).slice(0, 500)}`
}

const words: readonly string[] = [
  ...[
    'kind: ',
    'metadata: ',
    'spec: ',
    'addresses: ',
    '- ',
    '---\n',
    '{}',
    '[]',
    'null',
    '~',
    '!!map ',
    '|\n',
    '>\n',
  ],
  ...[
    '&a ',
    '*a',
    '<<: ',
    '? ',
    '__proto__',
    'constructor',
    '10.0.0.0/8',
    '::/0',
    '-1',
    '0x7f',
    '1e9',
    '.inf',
    '.nan',
  ],
]

/** A value that may be JSON, taken for one object. */
function resource(bytes: Uint8Array): string {
  let value: unknown
  try {
    value = JSON.parse(textOf(bytes))
  } catch {
    return 'no JSON'
  }
  const parsed = parseResource(value)
  unpolluted()
  return parsed === undefined
    ? 'none of ours'
    : `${parsed.resource?.kind} ${kindsOf(parsed.problems.map(({ field }) => field.replace(/\d+/g, 'n'))).slice(0, 300)}`
}

/** What people write, and what speakers tell each other beside the gossip's own messages. */
export const resourceParsers: readonly Parser[] = [
  { name: 'manifest-yaml', read: bytes => manifests('a.yaml', bytes), words },
  {
    name: 'manifest-json',
    read: bytes => manifests('a.json', bytes),
    words: ['"__proto__"', '"List"', '"items"', '[', ']', '{', '}'],
  },
  { name: 'resource', read: resource, words: ['"__proto__"', '"constructor"', 'null', '[]', '{}', '1e400'] },
  {
    name: 'claims',
    read: bytes => {
      const claims = decodeClaims(bytes)
      unpolluted()
      return claims.length > 0 ? 'claims' : 'none'
    },
  },
  {
    name: 'page-words',
    read: bytes => {
      const word = decodeWord(bytes)
      unpolluted()
      return word?.says ?? 'nothing'
    },
    words: ['"says"', '"ask"', '"report"', '"node"', '__proto__'],
  },
]
