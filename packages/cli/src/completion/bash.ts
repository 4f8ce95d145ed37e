import type { Branch } from './tree.ts'

/** A word as bash takes it literally. */
const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** Makes the completion script for bash: `source <(carillon completion bash)`. */
export function bashScript(branches: readonly Branch[]): string {
  const [root] = branches
  const name = root?.path[0] ?? ''
  const steps = branches.slice(1).map(({ path }) => quote(path.join(' ')))
  const values = branches.flatMap(({ path, flags }) =>
    flags.flatMap(({ name: flag, value }) => {
      if (!value) return []
      const found =
        value.kind === 'choice'
          ? `COMPREPLY=($(compgen -W ${quote(value.choices.join(' '))} -- "$word"))`
          : value.kind === 'text'
            ? ':'
            : `compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -${value.kind === 'file' ? 'f' : 'd'} -- "$word"))`
      return `    ${quote(`${path.join(' ')} ${flag}`)}) ${found}; return ;;`
    }),
  )
  const words = branches.map(({ path, flags, commands, words: more }) => {
    const all = [...commands.map(one => one.name), ...more, ...flags.map(flag => flag.name)]
    return `    ${quote(path.join(' '))}) words=${quote(all.join(' '))} ;;`
  })
  return `# bash completion for ${name}: source <(${name} completion bash)
_${name}() {
  local word="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}" path=${quote(name)} words='' at
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "$path \${COMP_WORDS[at]}" in
    ${steps.join(' | ')}) path="$path \${COMP_WORDS[at]}" ;;
    esac
  done
  case "$path $previous" in
${values.join('\n')}
  esac
  case "$path" in
${words.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _${name} ${name}
`
}
