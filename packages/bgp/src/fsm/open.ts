import { AS_TRANS, afis, safis } from '../wire/iana.ts'
import type { Capability, OpenMessage } from '../wire/message.ts'
import type { Greeting } from './event.ts'
import type { FsmSettings } from './settings.ts'

/** Our OPEN. */
export function openOf(settings: FsmSettings, { routerId, restarting }: Greeting): OpenMessage {
  const { localAs, families, extendedNextHop, restartTime, hostName } = settings
  const entries = families.map(family => ({ afi: afis[family], safi: safis.unicast }))
  const capabilities: Capability[] = [
    ...entries.map(entry => ({ name: 'multiprotocol', ...entry }) as const),
    { name: 'routeRefresh' },
    { name: 'enhancedRouteRefresh' },
    { name: 'extendedMessage' },
    { name: 'fourOctetAs', as: localAs },
  ]
  if (extendedNextHop) {
    const entry = { afi: afis.ipv4, safi: safis.unicast, nextHopAfi: afis.ipv6 }
    capabilities.push({ name: 'extendedNextHop', entries: [entry] })
  }
  if (restartTime !== undefined) {
    // The nodes go on forwarding while this process is away; a peer that is not told so drops the routes on our return.
    const forwarding = entries.map(entry => ({ ...entry, forwarding: true }))
    capabilities.push({
      name: 'gracefulRestart',
      restarting,
      notification: false,
      restartTime,
      families: forwarding,
    })
  }
  if (hostName) capabilities.push({ name: 'hostname', hostName, domainName: '' })
  return {
    type: 'open',
    version: 4,
    as: localAs > 0xffff ? AS_TRANS : localAs,
    holdTime: settings.holdTimeMs / 1000,
    routerId,
    capabilities,
  }
}
