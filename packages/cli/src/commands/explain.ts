import { CarillonError } from '@carillon/core'
import { fetchStatus } from '../client.ts'
import { parseEndpoint } from '../endpoint.ts'
import { paint, type Terminal } from '../terminal.ts'
import type { AskOptions } from './status.ts'
import { findServices } from './where.ts'

/** What each reason means, and what to do when it is not what one wants. */
const meanings: Readonly<Record<string, string>> = {
  notOwner: 'another node was elected; it takes over when that one is gone',
  noMatchingAdvertisement:
    'no advertisement of the pool selects this node and this Service: look at nodeSelectors and serviceSelectors',
  sharedIPWithServiceSelector:
    'the address may be shared, so advertisements with serviceSelectors cannot be used for it: remove one of the two',
  noEndpoints: 'no endpoint of the Service is ready',
  noLocalEndpoints: 'externalTrafficPolicy is Local and no endpoint is ready on this node',
  nodeLabeledExcludeBalancers:
    'the node is labelled node.kubernetes.io/exclude-from-external-load-balancers; --ignore-exclude-lb overrules that',
  nodeNetworkUnavailable: 'the node has the condition NetworkUnavailable',
  notAlive: 'the node is not among the living members',
}

/** `carillon explain`: 0 when somebody announces the Service, 1 otherwise. */
export async function explain(what: string, options: AskOptions, terminal: Terminal): Promise<number> {
  if (!/^[^/]+\/[^/]+$/.test(what))
    throw new CarillonError('USAGE', `${what}: name a Service as namespace/name`, { what })
  const answer = await fetchStatus(parseEndpoint('--http', options.http, 7472), what)
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
  for (const one of service.announcements) {
    line(
      'Announced',
      `${one.address} by ${one.node}, ${one.protocol}, interfaces ${one.interfaces === 'all' ? 'all' : one.interfaces.join(', ')}`,
    )
  }
  if (service.state === 'assigned' && !announced && service.silent.length === 0) {
    line('Silent', 'no L2Advertisement selects the pool: create one, or add the pool to one')
  }
  for (const { node, protocol, because } of service.silent) {
    line('Silent', `${node}, ${protocol}: ${because}${meanings[because] ? ` (${meanings[because]})` : ''}`)
  }
  return announced ? 0 : 1
}
