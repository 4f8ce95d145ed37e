import type { Link } from '@carillon/core'
import type { Layer2Settings } from './options.ts'

/** Why an interface cannot be spoken on, in words that go on after its name; undefined when it can. */
export function unusable(
  link: Link,
  settings: Pick<Layer2Settings, 'interfaces' | 'excluded'>,
): string | undefined {
  if (settings.interfaces !== 'all' && !settings.interfaces.has(link.name))
    return 'is not in the list of the announcer'
  const match = settings.excluded.find(pattern => pattern.test(link.name))
  if (match) return `is excluded by ${match.source}`
  if (link.loopback) return 'is the loopback'
  if (!link.up) return 'is down'
  if (link.master !== undefined) return 'belongs to a bridge, bond or VRF'
  if (link.noArp) return 'has address resolution switched off (NOARP)'
  if (link.mac.length !== 6) return 'has no Ethernet address'
  return undefined
}

/** Whether the interface has a link-local address that passed its duplicate check: without one it does not speak IPv6 (yet). */
export function hasLinkLocalAddress(link: Link): boolean {
  return link.addresses.some(one => one.usable && one.scope === 'link' && one.address.includes(':'))
}
