import { paint, type Terminal, table } from '../terminal.ts'
import type { AskOptions } from './status.ts'

/** `carillon members`: 0 when somebody is alive, 1 otherwise. */
export async function members(options: AskOptions, terminal: Terminal): Promise<number> {
  const answer = await options.ask()
  if (options.json) terminal.print(JSON.stringify(answer.members, null, 2))
  else {
    const rows = answer.members.map(({ name, address, liveness }) => [
      name,
      address || '-',
      paint(terminal, liveness === 'alive' ? 'green' : liveness === 'suspect' ? 'yellow' : 'red', liveness),
    ])
    terminal.print(table(['NAME', 'ADDRESS', 'LIVENESS'], rows))
  }
  return answer.members.some(member => member.liveness === 'alive') ? 0 : 1
}
