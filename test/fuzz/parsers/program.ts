import { parseEndpoint } from '../../../packages/cli/src/endpoint.ts'
import { EventLog } from '../../../packages/cli/src/page/event-log.ts'
import { commandLine } from '../../../packages/cli/src/program.ts'
import { coded, type Parser, textOf } from '../parser.ts'

const nowhere = { print() {}, warn() {}, colour: false }

/** Words of a command line, divided by NUL as a process gets them; it is read, and nothing is done. */
function words(bytes: Uint8Array): Promise<string> {
  return coded(() => {
    let chosen = 'nothing'
    try {
      commandLine(nowhere, () => {
        chosen = 'a command'
      }).parse(textOf(bytes).split('\0'), { from: 'user' })
    } catch (error) {
      const { code } = error as { readonly code?: unknown }
      if (typeof code === 'string' && code.startsWith('commander.')) return code
      throw error
    }
    return chosen
  })
}

/** What people and programs say to the program itself. */
export const programParsers: readonly Parser[] = [
  {
    name: 'command-line',
    read: words,
    words: [
      '\0',
      '--',
      '--json',
      '--help',
      'run',
      'plan',
      '--manifests',
      '--gossip-join',
      '--http',
      '-1',
      '\0',
    ],
  },
  {
    name: 'endpoint',
    read: bytes =>
      coded(() => (parseEndpoint('--http', textOf(bytes), 1).port > 0 ? 'an endpoint' : 'port 0')),
    words: ['[', ']', ':', '::', '%eth0', '65536', '127.0.0.1'],
  },
  {
    name: 'last-event-id',
    read: bytes => {
      const log = new EventLog('epoch')
      log.append('move', {})
      return typeof log.sequenceOf(textOf(bytes))
    },
    words: ['epoch-', '-', '1'],
  },
]
