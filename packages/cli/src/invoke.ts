import { CarillonError } from '@carillon/core'
import { Command, CommanderError } from 'commander'
import type { Action } from './questions.ts'
import type { Terminal } from './terminal.ts'
import { version } from './version.ts'

/** A command and all below it. */
const everyCommand = (command: Command): readonly Command[] => [
  command,
  ...command.commands.flatMap(everyCommand),
]

const oneLine = (text: string): string => text.replace(/\s*\n\s*/g, ' ').trim()

/** An empty command line that writes to the terminal; `shown` is what people type to come here. */
export function emptyCommandLine(name: string, shown: string, terminal: Terminal): Command {
  return new Command(name)
    .version(version)
    .configureOutput({
      writeOut: text => terminal.print(text.trimEnd()),
      writeErr: text => terminal.warn(text.trimEnd()),
      outputError: (text, write) =>
        write(`${shown}: ${oneLine(text.replace(/^error: /, ''))} (add --help for more)`),
    })
    .exitOverride()
}

/**
 * Runs a command line with these arguments (without the names of node and of the script). Gives the exit code: 0 done, 1 the answer is
 * "no" or the input is invalid, 2 wrong usage.
 *
 * @param build makes the command line; its actions tell `act` what to do
 */
export async function invoke(
  build: (act: (action: Action) => void) => Command,
  shown: string,
  argv: readonly string[],
  terminal: Terminal,
): Promise<number> {
  let action: Action | undefined
  try {
    const root = build(chosen => {
      action = chosen
    })
    for (const command of everyCommand(root)) command.exitOverride()
    root.parse(argv.length === 0 ? ['--help'] : [...argv], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    throw error
  }
  if (!action) return 0
  try {
    return await action()
  } catch (error) {
    if (!(error instanceof CarillonError)) throw error
    terminal.warn(`${shown}: ${oneLine(error.message)}`)
    return error.code === 'USAGE' ? 2 : 1
  }
}
