import { commands, quote, steps, values } from './posix.ts'
import type { Branch, Value } from './tree.ts'

function found(value: Value): string {
  if (value.kind === 'text') return ':'
  if (value.kind === 'choice') return `COMPREPLY=($(compgen -W ${quote(value.choices.join(' '))} -- "$word"))`
  return `compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -${value.kind === 'file' ? 'f' : 'd'} -- "$word"))`
}

function words({ commands, words, flags }: Branch): string {
  const all = [...commands.map(one => one.name), ...words, ...flags.map(flag => flag.name)]
  return `words=${quote(all.join(' '))}`
}

/** Makes the completion script for bash: `source <(carillon completion bash)`. */
export function bashScript(branches: readonly Branch[]): string {
  const name = branches[0]?.path[0] ?? ''
  return `# bash completion for ${name}: source <(${name} completion bash)
_${name}() {
  local word="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD - 1]}" path=${quote(name)} words='' at
  COMPREPLY=()
  for ((at = 1; at < COMP_CWORD; at++)); do
    case "$path \${COMP_WORDS[at]}" in
    ${steps(branches)}) path="$path \${COMP_WORDS[at]}" ;;
    esac
  done
  case "$path $previous" in
${values(branches, found)}
  esac
  case "$path" in
${commands(branches, words)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _${name} ${name}
`
}
