import { elect } from '@carillon/core'
import type { Node } from './cluster.ts'

/** Addresses to be owned by somebody. */
export const addresses: readonly string[] = Array.from({ length: 20 }, (_, i) => `192.0.2.${i + 1}`)

const elected = new Map<string, string | undefined>()

/** Who is to have an address, in the eyes of one who counts these as living. Remembered, because it is asked all the time. */
function ownerAmong(address: string, alive: ReadonlySet<string>): string | undefined {
  const names = [...alive].sort()
  const key = `${address} ${names}`
  if (!elected.has(key))
    elected.set(
      key,
      elect(
        address,
        names.map(node => ({ node })),
      ),
    )
  return elected.get(key)
}

/** Who takes itself for the owner of an address: one that doubts itself does not. */
export const owners = (address: string, among: readonly Node[]): readonly string[] =>
  among
    .filter(({ gossip }) => gossip.standing() !== 'paused')
    .filter(({ name, gossip }) => ownerAmong(address, gossip.alive()) === name)
    .map(({ name }) => name)

/** Whether every address has one owner. */
export const settled = (among: readonly Node[]): boolean =>
  addresses.every(address => owners(address, among).length === 1)
