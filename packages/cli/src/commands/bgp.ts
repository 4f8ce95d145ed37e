import { few } from '../announced.ts'
import { routesOf } from '../routes.ts'
import { sessionTable } from '../sessions.ts'
import { paint, type Terminal, table } from '../terminal.ts'
import type { AskOptions } from './status.ts'

/** A question that needs no Service of the answer. */
const noService = '-'

export interface BgpOptions extends AskOptions {
  /** Only what concerns this peer. */
  readonly peer?: string
}

/** `carillon bgp sessions`: 0 when there are sessions and all of them are established, 1 otherwise. */
export async function bgpSessions(options: BgpOptions, terminal: Terminal): Promise<number> {
  const answer = await options.ask(noService)
  const sessions = answer.sessions.filter(({ peer }) => options.peer === undefined || peer === options.peer)
  if (options.json) terminal.print(JSON.stringify(sessions, null, 2))
  else if (sessions.length > 0) terminal.print(sessionTable(sessions, answer.now, terminal))
  else
    terminal.print(
      `${answer.node} has no BGP session: no BGPPeer${options.peer === undefined ? '' : ` ${options.peer}`} selects it`,
    )
  return sessions.length > 0 && sessions.every(({ state }) => state === 'Established') ? 0 : 1
}

/** `carillon bgp routes`: 0 when there are routes and every peer has been sent its own, 1 otherwise. */
export async function bgpRoutes(options: BgpOptions, terminal: Terminal): Promise<number> {
  const answer = await options.ask()
  const routes = routesOf(answer).filter(({ peer }) => options.peer === undefined || peer === options.peer)
  if (options.json) terminal.print(JSON.stringify(routes, null, 2))
  else if (routes.length === 0) terminal.print(`${answer.node} announces nothing by BGP`)
  else {
    const rows = routes.map(route => [
      route.prefix,
      route.peer,
      paint(terminal, route.state === 'announced' ? 'green' : 'red', route.state),
      route.localPref === 0 ? '-' : String(route.localPref),
      route.communities.join(' ') || '-',
      few(route.services),
      few(route.also) || '-',
      route.error?.message ?? '',
    ])
    terminal.print(
      table(['PREFIX', 'PEER', 'STATE', 'LOCAL PREF', 'COMMUNITIES', 'SERVICES', 'ALSO FROM', 'WHY'], rows),
    )
  }
  return routes.length > 0 && routes.every(({ state }) => state === 'announced') ? 0 : 1
}
