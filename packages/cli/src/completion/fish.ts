import type { Branch, Value } from './tree.ts'

/** A word as fish takes it literally. */
const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

/** What comes after a flag: something has to (-r); only words that are listed (-x), files (-F), or folders. */
function after(value: Value | undefined): string {
  switch (value?.kind) {
    case undefined:
      return ''
    case 'file':
      return ' -r -F'
    case 'folder':
      return ` -x -a '(__fish_complete_directories)'`
    case 'text':
      return ' -x'
    case 'choice':
      return ` -x -a ${quote(value.choices.join(' '))}`
  }
}

/** Makes the completion script for fish: `carillon completion fish | source`. */
export function fishScript(branches: readonly Branch[]): string {
  const [root] = branches
  const name = root?.path[0] ?? ''
  const known = branches.slice(1).map(({ path }) => quote(path.join(' ')))
  const lines = branches.flatMap(({ path, flags, commands, words }) => {
    const here = `complete -c ${name} -n ${quote(`__${name}_at ${quote(path.join(' '))}`)}`
    return [
      ...commands.map(one => `${here} -a ${quote(one.name)} -d ${quote(one.description)}`),
      ...words.map(word => `${here} -a ${quote(word)}`),
      ...flags.map(
        flag => `${here} -l ${quote(flag.name.slice(2))}${after(flag.value)} -d ${quote(flag.description)}`,
      ),
    ]
  })
  return `# fish completion for ${name}: ${name} completion fish | source
function __${name}_at
  set -l path ${quote(name)}
  for word in (commandline -opc)[2..-1]
    if contains -- "$path $word" ${known.join(' ')}
      set path "$path $word"
    end
  end
  test "$path" = "$argv[1]"
end
complete -c ${name} -f
${lines.join('\n')}
`
}
