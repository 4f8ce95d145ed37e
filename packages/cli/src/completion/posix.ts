import type { Branch, Value } from './tree.ts'

/** A word as bash and zsh take it literally. */
export const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** The patterns of a `case` over the words so far that lead from a command into one of its own. */
export const steps = (branches: readonly Branch[]): string =>
  branches
    .slice(1)
    .map(({ path }) => quote(path.join(' ')))
    .join(' | ')

/** The branches of a `case` over command and flag: what completes the value of that flag. `found`: how a shell finds such values. */
export const values = (branches: readonly Branch[], found: (value: Value) => string): string =>
  branches
    .flatMap(({ path, flags }) =>
      flags.flatMap(({ name, value }) =>
        value ? `    ${quote(`${path.join(' ')} ${name}`)}) ${found(value)}; return ;;` : [],
      ),
    )
    .join('\n')

/** The branches of a `case` over the command. `words`: what to do with the words that may follow it. */
export const commands = (branches: readonly Branch[], words: (branch: Branch) => string): string =>
  branches.map(branch => `    ${quote(branch.path.join(' '))}) ${words(branch)} ;;`).join('\n')
