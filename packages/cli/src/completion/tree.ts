import type { Command, Option } from 'commander'

/** What follows a flag or a command. */
export type Value =
  | { readonly kind: 'file' | 'folder' | 'text' }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }

/** A flag as a shell completes it. */
export interface Flag {
  /** With its dashes. */
  readonly name: string
  readonly description: string
  /** Absent: the flag stands alone. */
  readonly value?: Value
}

/** A command as a shell completes it. */
export interface Branch {
  /** The words that lead to it, that of the program first. */
  readonly path: readonly string[]
  readonly description: string
  readonly flags: readonly Flag[]
  readonly commands: readonly { readonly name: string; readonly description: string }[]
  /** What its first argument may be. */
  readonly words: readonly string[]
}

/** What a flag wants goes by the name of its value: `<file>`, `<path>`, `<peer=file>`, `<folder>`. */
function wantedBy({ flags, required, optional, argChoices }: Option): Value | undefined {
  if (argChoices) return { kind: 'choice', choices: argChoices }
  if (!required && !optional) return undefined
  if (/<(file|path)>/.test(flags)) return { kind: 'file' }
  return /<folder>/.test(flags) ? { kind: 'folder' } : { kind: 'text' }
}

const help: Flag = { name: '--help', description: 'display help for command' }

/** A program and all its commands, from the definition that also parses the command line. */
export function branchesOf(command: Command, parents: readonly string[] = []): readonly Branch[] {
  const path = [...parents, command.name()]
  const flags = command.options.flatMap((option): readonly Flag[] => {
    const value = wantedBy(option)
    const { long, hidden, description } = option
    return hidden || !long ? [] : [{ name: long, description, ...(value && { value }) }]
  })
  const own: Branch = {
    path,
    description: command.description(),
    flags: [...flags, help],
    commands: command.commands.map(one => ({ name: one.name(), description: one.description() })),
    words: command.registeredArguments[0]?.argChoices ?? [],
  }
  return [own, ...command.commands.flatMap(one => branchesOf(one, path))]
}
