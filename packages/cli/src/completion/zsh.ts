import { commands, quote, steps, values } from './posix.ts'
import type { Branch, Value } from './tree.ts'

/** A word and what it means, as _describe splits them. */
const described = (name: string, description: string): string =>
  quote(`${name.replaceAll(':', '\\:')}:${description}`)

function found(value: Value): string {
  if (value.kind === 'text') return ':'
  if (value.kind === 'choice') return `compadd -- ${value.choices.map(quote).join(' ')}`
  return value.kind === 'file' ? '_files' : '_files -/'
}

function words({ commands, words, flags }: Branch): string {
  const all = [
    ...commands.map(one => described(one.name, one.description)),
    ...words.map(quote),
    ...flags.map(flag => described(flag.name, flag.description)),
  ]
  return `found=(${all.join(' ')})`
}

/** Makes the completion script for zsh, to be sourced, or to be put as `_carillon` into a folder of fpath. */
export function zshScript(branches: readonly Branch[]): string {
  const name = branches[0]?.path[0] ?? ''
  return `#compdef ${name}
# zsh completion for ${name}: source <(${name} completion zsh)
_${name}() {
  local way=${quote(name)} word
  local -a found
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$way $word" in
    ${steps(branches)}) way="$way $word" ;;
    esac
  done
  case "$way \${words[CURRENT-1]}" in
${values(branches, found)}
  esac
  case "$way" in
${commands(branches, words)}
  esac
  _describe ${quote(name)} found
}
if [[ "\${funcstack[1]}" == _${name} ]]; then
  _${name} "$@"
else
  compdef _${name} ${name}
fi
`
}
