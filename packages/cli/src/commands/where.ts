import { CarillonError, canonicalAddress, type SpeakerStatus } from '@carillon/core'
import { broadcasts, few } from '../announced.ts'
import type { Terminal } from '../terminal.ts'
import { ago } from '../time.ts'
import type { AskOptions } from './status.ts'

type ServiceStatus = SpeakerStatus['services'][number]

/** The Services that an address or a `namespace/name` means. Throws `NOT_FOUND`. */
export function findServices(
  answer: SpeakerStatus,
  what: string,
): readonly [ServiceStatus, ...ServiceStatus[]] {
  const address = canonicalAddress(what)
  const [first, ...rest] = answer.services.filter(service =>
    address === undefined
      ? `${service.namespace}/${service.name}` === what
      : service.addresses.includes(address),
  )
  if (first) return [first, ...rest]
  const hint = address === undefined ? 'there is no such Service' : 'no Service has that address'
  throw new CarillonError('NOT_FOUND', `${what}: ${hint}, as ${answer.node} knows it`, { what })
}

/** `carillon where`: 0 when somebody announces it, 1 when nobody does or it is unknown. */
export async function where(what: string, options: AskOptions, terminal: Terminal): Promise<number> {
  const answer = await options.ask(what)
  const services = findServices(answer, what)
  const found = services.map(
    ({ namespace, name, addresses, owner, since, succession, announcements, state, reason }) => ({
      service: `${namespace}/${name}`,
      state,
      addresses,
      owner,
      since,
      next: succession.find(node => node !== owner) ?? null,
      announcements,
      reason,
    }),
  )
  if (options.json) terminal.print(JSON.stringify({ services: found }, null, 2))
  else {
    for (const one of found) {
      const held = one.addresses.join(', ') || 'no address'
      const told = broadcasts(one.announcements)
      if (one.owner === null && told.length === 0) {
        const why = one.reason ? `: ${one.reason.message}` : ''
        terminal.print(
          `${one.service} (${held}) is announced by nobody${why}; "carillon explain ${one.service}" says why`,
        )
        continue
      }
      for (const { prefix, nodes, peers } of told)
        terminal.print(
          `${one.service} (${held}): ${few(nodes)} ${nodes.length === 1 ? 'announces' : 'announce'} ${prefix} by BGP to ${few(peers)}`,
        )
      if (one.owner === null) continue
      const time = one.since === null ? '' : ` for ${ago(one.since, answer.now)}`
      terminal.print(
        `${one.service} (${held}) is at ${one.owner}${time}; next in line: ${one.next ?? 'nobody'}`,
      )
    }
  }
  return found.some(one => one.announcements.length > 0) ? 0 : 1
}
