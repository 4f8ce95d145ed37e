import type { Md5Key } from '@carillon/core'
import type { PeerSettings } from './peer.ts'

/** A peer that may connect to a listener, with the address from which it does. */
export interface Caller {
  readonly peer: Pick<PeerSettings, 'name' | 'passive' | 'password'>
  readonly address: string
}

/** Two peers at one address that want different keys. */
export interface KeyConflict {
  readonly address: string
  /** Whose key counts. */
  readonly heard: string
  /** Whose connections cannot be let in. */
  readonly unheard: string
}

/**
 * The keys that a listener demands of connections. The kernel has one for each address of the other end, whatever the port or our own
 * address: of several peers at one address that of a passive one counts, which has no other way, and else that of the first by name.
 */
export function listenerKeys(callers: readonly Caller[]): {
  readonly keys: readonly Md5Key[]
  readonly conflicts: readonly KeyConflict[]
} {
  const inTurn = [...callers].sort(
    ({ peer: a }, { peer: b }) => Number(b.passive) - Number(a.passive) || (a.name < b.name ? -1 : 1),
  )
  const first = new Map<string, Caller>()
  const conflicts: KeyConflict[] = []
  for (const caller of inTurn) {
    const { address, peer } = caller
    const known = first.get(address)
    if (!known) first.set(address, caller)
    else if (known.peer.password !== peer.password)
      conflicts.push({ address, heard: known.peer.name, unheard: peer.name })
  }
  const keys = [...first.values()].flatMap(({ address, peer: { password } }) =>
    password === undefined ? [] : [{ address, key: password }],
  )
  return { keys, conflicts }
}
