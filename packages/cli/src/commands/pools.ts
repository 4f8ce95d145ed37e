import type { PoolUsage, ServiceStatus } from '@carillon/core'
import { paint, type Terminal, table } from '../terminal.ts'
import type { AskOptions } from './status.ts'

/** A Service that waits for an address. */
interface Waiting {
  readonly service: string
  readonly reason: ServiceStatus['reason']
}

/** `carillon pools`: 0 when no Service waits for an address, 1 when one does. */
export async function pools(options: AskOptions, terminal: Terminal): Promise<number> {
  const answer = await options.ask()
  const pending = answer.services.flatMap(({ state, namespace, name, reason }): readonly Waiting[] =>
    state === 'pending' ? [{ service: `${namespace}/${name}`, reason }] : [],
  )
  if (options.json) terminal.print(JSON.stringify({ pools: answer.pools, pending }, null, 2))
  else show(answer.pools, pending, terminal)
  return pending.length === 0 ? 0 : 1
}

function show(usages: readonly PoolUsage[], pending: readonly Waiting[], terminal: Terminal): void {
  if (usages.length === 0) terminal.print('there is no IPAddressPool')
  else {
    const rows = usages.map(({ name, assignedIPv4, availableIPv4, assignedIPv6, availableIPv6 }) => [
      name,
      ...use(assignedIPv4, availableIPv4, terminal),
      ...use(assignedIPv6, availableIPv6, terminal),
    ])
    terminal.print(table(['POOL', 'IPV4', 'USED', 'FREE', 'IPV6', 'USED', 'FREE'], rows))
  }
  if (pending.length > 0) terminal.print('')
  for (const { service, reason } of pending)
    terminal.print(
      `${paint(terminal, 'yellow', `${service} waits`)}: ${reason?.message ?? 'no reason is known'}`,
    )
}

const barLength = 10

/** How full, as a bar; how many are used; how many are free. */
function use(assigned: number, free: number, terminal: Terminal): readonly [string, string, string] {
  const all = assigned + free
  if (all === 0) return ['-', '-', '-']
  const share = assigned / all
  // One address of thousands is to be seen, and so is one that is left.
  const full =
    assigned === 0
      ? 0
      : free === 0
        ? barLength
        : Math.min(barLength - 1, Math.max(1, Math.round(share * barLength)))
  const bar = '#'.repeat(full) + '.'.repeat(barLength - full)
  return [
    paint(terminal, share > 0.95 ? 'red' : share > 0.75 ? 'yellow' : 'green', bar),
    String(assigned),
    many(free),
  ]
}

/** Counts are capped where numbers of this language end. */
const many = (count: number): string => (count >= Number.MAX_SAFE_INTEGER ? 'more than 2^53' : String(count))
