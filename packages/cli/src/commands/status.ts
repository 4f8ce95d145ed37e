import type { SpeakerStatus } from '@carillon/core'
import { broadcasts, few } from '../announced.ts'
import type { Ask } from '../client.ts'
import { sessionTable } from '../sessions.ts'
import { paint, type Terminal, table } from '../terminal.ts'
import { ago } from '../time.ts'
import { problemLines } from './problems.ts'

/** Whom a question goes to, and how the answer is wanted. */
export interface AskOptions {
  readonly ask: Ask
  readonly json: boolean
}

/** `carillon status`: 0 when the speaker has a valid configuration in force, 1 otherwise. */
export async function status(options: AskOptions, terminal: Terminal): Promise<number> {
  const answer = await options.ask()
  if (options.json) terminal.print(JSON.stringify(answer, null, 2))
  else show(answer, terminal)
  return answer.configuration === 'valid' || answer.configuration === 'stale' ? 0 : 1
}

function show(answer: SpeakerStatus, terminal: Terminal): void {
  const alive = answer.members.filter(member => member.liveness === 'alive').length
  terminal.print(
    `${paint(terminal, 'bold', answer.node)}  carillon ${answer.version}, up ${ago(answer.startedAt, answer.now)}, ` +
      `configuration ${answer.configuration}, ${alive} of ${answer.members.length} members alive`,
  )
  for (const line of problemLines(answer.problems, terminal)) terminal.print(line)
  if (answer.services.length > 0) {
    terminal.print('')
    const rows = answer.services.map(service => [
      `${service.namespace}/${service.name}`,
      service.addresses.join(', ') || '-',
      whoSpeaks(service, answer.node, terminal),
      service.since === null ? '-' : ago(service.since, answer.now),
      service.succession
        .filter(name => name !== service.owner)
        .slice(0, 2)
        .join(', ') || '-',
      service.reason ? `${service.reason.code}: ${service.reason.message}` : '',
    ])
    terminal.print(table(['SERVICE', 'ADDRESSES', 'OWNER', 'FOR', 'NEXT', 'WHY'], rows))
  }
  if (answer.sessions.length > 0) {
    terminal.print('')
    terminal.print(sessionTable(answer.sessions, answer.now, terminal))
  }
  const failing = answer.announcers.flatMap(announcer => [
    ...(announcer.failure === null ? [] : [`${announcer.name}: ${announcer.failure}`]),
    ...announcer.status
      .filter(one => one.error !== null)
      .map(one => `${announcer.name} ${one.address}: ${one.error?.message}`),
  ])
  if (failing.length > 0) terminal.print('')
  for (const line of failing) terminal.print(paint(terminal, 'red', line))
}

/** The owner on layer 2, and who announces by BGP, as far as this node lists it. */
function whoSpeaks(
  { owner, announcements }: SpeakerStatus['services'][number],
  self: string,
  terminal: Terminal,
): string {
  const name = (node: string): string => (node === self ? paint(terminal, 'green', node) : node)
  const nodes = new Set(broadcasts(announcements).flatMap(one => one.nodes))
  const told = nodes.size === 0 ? [] : [`bgp ${few([...nodes].map(name))}`]
  return [...(owner === null ? [] : [name(owner)]), ...told].join('; ') || '-'
}
