import { CarillonError, familyOf, meaningOf, type SpeakerStatus } from '@carillon/core'
import { announcedLines, broadcasts, few } from '../announced.ts'
import { sessionLine } from '../sessions.ts'
import { paint, type Terminal } from '../terminal.ts'
import type { AskOptions } from './status.ts'
import { findServices } from './where.ts'

/** `carillon explain`: 0 when somebody announces the Service, 1 otherwise. */
export async function explain(what: string, options: AskOptions, terminal: Terminal): Promise<number> {
  if (!/^[^/]+\/[^/]+$/.test(what))
    throw new CarillonError('USAGE', `${what}: name a Service as namespace/name`, { what })
  const answer = await options.ask(what)
  const [service] = findServices(answer, what)
  const announced = service.announcements.length > 0
  if (options.json) {
    terminal.print(JSON.stringify({ ...service, asSeenBy: answer.node }, null, 2))
    return announced ? 0 : 1
  }
  const line = (label: string, text: string): void => terminal.print(`${label.padEnd(12)}${text}`)
  line('Service', paint(terminal, 'bold', what))
  line(
    'State',
    service.reason ? `${service.state}, ${service.reason.code}: ${service.reason.message}` : service.state,
  )
  line(
    'Addresses',
    service.addresses.length > 0 ? `${service.addresses.join(', ')} from pool ${service.pool}` : 'none',
  )
  if (service.owner !== null) {
    line(
      'Owner',
      `${service.owner}, elected by the smallest SHA-256 of "node#${service.addresses[0]}" among the candidates`,
    )
    line('Succession', service.succession.join(' > '))
  }
  for (const text of announcedLines(service.announcements)) line('Announced', text)
  if (service.state === 'assigned' && !announced && service.silent.length === 0) {
    line(
      'Silent',
      'no L2Advertisement and no BGPAdvertisement selects the pool: create one, or add the pool to one',
    )
  }
  for (const text of silentLines(service)) line('Silent', text)
  const told = new Set(broadcasts(service.announcements).flatMap(({ peers }) => peers))
  for (const session of answer.sessions)
    if (told.has(session.peer)) line('Session', `${answer.node} > ${sessionLine(session, answer.now)}`)
  return announced ? 0 : 1
}

/** Nodes that are silent for the same reason together, with what that means and what to do about it. */
function* silentLines({
  silent,
  announcements,
  addresses,
}: SpeakerStatus['services'][number]): Iterable<string> {
  const nodes = new Map<string, string[]>()
  for (const { node, protocol, because } of silent) {
    const { sentence, advice } = meaningOf(because, protocol)
    const text = `${protocol}: ${because} (${sentence}; ${advice})`
    const others = nodes.get(text)
    if (others) others.push(node)
    else nodes.set(text, [node])
  }
  for (const [text, names] of nodes) yield `${few(names)}, ${text}`
  // A node that has a peer for one family need not have one for the other.
  const families = announcements.flatMap(one => (one.protocol === 'bgp' ? familyOf(one.prefix) : []))
  if (families.length === 0) return
  for (const address of addresses) {
    if (families.includes(familyOf(address))) continue
    yield `${address}, bgp: no session carries IPv${familyOf(address)} (use a peerAddress of that family, or dualStackAddressFamily)`
  }
}
