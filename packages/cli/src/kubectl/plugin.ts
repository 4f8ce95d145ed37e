import { type Command, Option } from 'commander'
import { atLeast } from '../flags.ts'
import { emptyCommandLine, invoke } from '../invoke.ts'
import { type Action, addQuestions } from '../questions.ts'
import type { Terminal } from '../terminal.ts'
import { type PodOptions, podEvents, podSpeaker } from './ask.ts'

const flags = (): readonly Option[] => [
  new Option('-n, --namespace <name>', 'where the speakers run').default('metallb-system'),
  new Option('-l, --selector <labels>', 'the labels of their pods').default('carillon.io/process=speaker'),
  new Option('--node <name>', 'ask the speaker of this node (default: any that is ready)'),
  new Option(
    '--pod-port <port>',
    'the port of the pod for the API server to use (default: found out)',
  ).argParser(atLeast(1)),
  new Option('--kubeconfig <file>', 'as for kubectl'),
  new Option('--context <name>', 'as for kubectl'),
  new Option('--as <user>', 'as for kubectl'),
]

function commandLine(terminal: Terminal, act: (action: Action) => void): Command {
  const root = emptyCommandLine('kubectl-carillon', 'kubectl carillon', terminal)
    .usage('[options] [command]')
    .description('Asks a speaker of Carillon in the cluster, through the API server. Changes nothing.')
  addQuestions(root, {
    terminal,
    act,
    flags,
    ask: options => podSpeaker(options as unknown as PodOptions),
    listen: options => podEvents(options as unknown as PodOptions),
  })
  return root
}

/** The plug-in of kubectl: `kubectl carillon status`. Exit codes as those of `carillon`. */
export const plugin = (argv: readonly string[], terminal: Terminal): Promise<number> =>
  invoke(act => commandLine(terminal, act), 'kubectl carillon', argv, terminal)
