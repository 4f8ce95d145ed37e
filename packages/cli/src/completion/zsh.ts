import type { Branch } from './tree.ts'

/** A word as zsh takes it literally. */
const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** A word and what it means, as _describe splits them. */
const described = (name: string, description: string): string =>
  quote(`${name.replaceAll(':', '\\:')}:${description}`)

/** Makes the completion script for zsh, to be sourced, or to be put as `_carillon` into a folder of fpath. */
export function zshScript(branches: readonly Branch[]): string {
  const [root] = branches
  const name = root?.path[0] ?? ''
  const steps = branches.slice(1).map(({ path }) => quote(path.join(' ')))
  const values = branches.flatMap(({ path, flags }) =>
    flags.flatMap(({ name: flag, value }) => {
      if (!value) return []
      const found =
        value.kind === 'choice'
          ? `compadd -- ${value.choices.map(quote).join(' ')}`
          : value.kind === 'text'
            ? ':'
            : value.kind === 'file'
              ? '_files'
              : '_files -/'
      return `    ${quote(`${path.join(' ')} ${flag}`)}) ${found}; return ;;`
    }),
  )
  const words = branches.map(({ path, flags, commands, words: more }) => {
    const all = [
      ...commands.map(one => described(one.name, one.description)),
      ...more.map(quote),
      ...flags.map(flag => described(flag.name, flag.description)),
    ]
    return `    ${quote(path.join(' '))}) found=(${all.join(' ')}) ;;`
  })
  return `#compdef ${name}
# zsh completion for ${name}: source <(${name} completion zsh)
_${name}() {
  local way=${quote(name)} word
  local -a found
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$way $word" in
    ${steps.join(' | ')}) way="$way $word" ;;
    esac
  done
  case "$way \${words[CURRENT-1]}" in
${values.join('\n')}
  esac
  case "$way" in
${words.join('\n')}
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
