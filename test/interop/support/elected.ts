import { createHash } from 'node:crypto'

/** Who speaks for an address among MetalLB's speakers: whose hash of name and address is lowest. */
export const elected = (address: string, names: readonly string[]): string => {
  const rank = (name: string): string => createHash('sha256').update(`${name}#${address}`).digest('hex')
  return [...names].sort((a, b) => (rank(a) < rank(b) ? -1 : 1))[0] ?? ''
}
