/** The commands of each `sh` block of a page, as a shell takes them one by one. */
export function commandBlocks(page: string): readonly (readonly string[])[] {
  return [...page.matchAll(/^( *)```sh\n(.*?)^ *```$/gms)].map(([, indent = '', body = '']) => {
    const commands: string[] = []
    let open = ''
    for (const line of body.trimEnd().split('\n')) {
      open += `${line.slice(indent.length)}\n`
      // What stands in quotes goes on over several lines.
      if ((open.match(/'/g) ?? []).length % 2 === 1) continue
      commands.push(open.trimEnd())
      open = ''
    }
    return commands
  })
}
