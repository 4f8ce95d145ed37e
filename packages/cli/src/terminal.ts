/** Where a command writes, handed in so that tests can read it. */
export interface Terminal {
  /** A line on standard output. */
  print(text: string): void
  /** A line on standard error. */
  warn(text: string): void
  /** Whether colours are of use. */
  readonly colour: boolean
}

/** The process's own output. Colour only on a terminal, and not where NO_COLOR is set. */
export const processTerminal: Terminal = {
  print: text => process.stdout.write(`${text}\n`),
  warn: text => process.stderr.write(`${text}\n`),
  colour: Boolean(process.stdout.isTTY) && !process.env.NO_COLOR,
}

const paints = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33', cyan: '36' } as const
export type Paint = keyof typeof paints

/** Wraps text in a colour where the terminal has colours. */
export function paint(terminal: Terminal, colour: Paint, text: string): string {
  return terminal.colour ? `\u001b[${paints[colour]}m${text}\u001b[0m` : text
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what a colour is
const colours = /\u001b\[\d+m/g

const width = (cell: string): number => cell.replace(colours, '').length

/** Columns under their headings, as wide as their widest cell. Gives lines without trailing spaces. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [headings, ...rows]
  const widths = headings.map((_, column) => Math.max(...all.map(row => width(row[column] ?? ''))))
  return all
    .map(row =>
      row
        .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - width(cell))))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
