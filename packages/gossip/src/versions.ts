import type { MemberRecord } from './member-record.ts'
import { sameBytes } from './node-address.ts'
import { NO_BYTES, type NodeEntry, nodeStates } from './wire/index.ts'

/** memberlist's peers require these in every table that they merge. */
export const usable = (vsn: Uint8Array): boolean => {
  const [min = 0, max = 0] = vsn
  return vsn.length === 6 && min > 0 && max > 0 && min <= max
}

/** Looks at each version, but not again at the one before it: nearly all members have the same. */
function each(look: (vsn: Uint8Array) => void): (vsn: Uint8Array) => void {
  let last = NO_BYTES
  return vsn => {
    if (sameBytes(vsn, last)) return
    last = vsn
    look(vsn)
  }
}

/** Whether everybody in two tables speaks what all the living of both understand; where not, memberlist merges nothing. */
export function compatible(members: { all(): Iterable<MemberRecord> }, nodes: readonly NodeEntry[]): boolean {
  if (!nodes.every(({ vsn }) => vsn.length === 6)) return false
  let [protocolMin, protocolMax, delegateMin, delegateMax] = [0, 255, 0, 255]
  const narrow = each(vsn => {
    protocolMin = Math.max(protocolMin, vsn[0] as number)
    protocolMax = Math.min(protocolMax, vsn[1] as number)
    delegateMin = Math.max(delegateMin, vsn[3] as number)
    delegateMax = Math.min(delegateMax, vsn[4] as number)
  })
  for (const { liveness, vsn } of members.all()) if (liveness === 'alive') narrow(vsn)
  for (const { state, vsn } of nodes) if (state === nodeStates.alive) narrow(vsn)
  let all = true
  const speak = each(vsn => {
    const [protocol, delegate] = [vsn[2] as number, vsn[5] as number]
    all &&= protocol >= protocolMin && protocol <= protocolMax
    all &&= delegate >= delegateMin && delegate <= delegateMax
  })
  for (const { vsn } of members.all()) speak(vsn)
  for (const { vsn } of nodes) speak(vsn)
  return all
}
