import { type Finding, findingsOf } from './finding.ts'

const finding = findingsOf('responders')

/** Who answered when an address was asked for by ARP. */
export interface Answers {
  readonly address: string
  /** Absent: this host cannot ask, and why. */
  readonly unasked?: string
  /** MAC address and the interface on which it answered. */
  readonly stations: readonly { readonly mac: string; readonly interface: string }[]
  /** The node that is to answer, as a speaker says; undefined: nobody was asked for that. */
  readonly owner?: string | undefined
  /** Whether that is the node that asks: its own answers do not come back to it. */
  readonly own: boolean
}

/** Whether somebody answers for an address who should not. */
export function checkResponders({ address, unasked, stations, owner, own }: Answers): Finding {
  if (unasked !== undefined) return finding(address, 'skipped', unasked)
  const who = [...new Set(stations.map(({ mac, interface: name }) => `${mac} on ${name}`))]
  const macs = new Set(stations.map(({ mac }) => mac))
  const find =
    'find the station by its MAC address and take the address from it; two answers send clients here and there'
  if (own)
    return macs.size === 0
      ? finding(address, 'ok', 'nobody else answers for it')
      : finding(address, 'error', `is announced by this node, and ${who.join(' and ')} answers, too`, find)
  if (macs.size > 1)
    return finding(address, 'error', `${macs.size} stations answer for it: ${who.join(', ')}`, find)
  const held = owner === undefined ? '' : `, which should be ${owner}`
  if (macs.size === 1) return finding(address, 'ok', `${who[0]} answers${held}`)
  return owner === undefined
    ? finding(address, 'ok', 'nobody answers for it')
    : finding(
        address,
        'warning',
        `nobody answers for it, though ${owner} should`,
        `see "carillon explain" on ${owner}, and whether this host is on the same segment`,
      )
}
