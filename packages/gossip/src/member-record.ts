import type { NodeAddress } from './node-address.ts'

export type Liveness = 'alive' | 'suspect' | 'dead' | 'left'

/** What a node remembers of a member. */
export interface MemberRecord extends NodeAddress {
  readonly name: string
  readonly meta: Uint8Array
  /** Understood minimum and maximum and spoken version, of the protocol and of the delegate: 6 bytes. */
  readonly vsn: Uint8Array
  readonly incarnation: number
  readonly liveness: Liveness
  /** When `liveness` became what it is. */
  readonly since: number
}

/** The kinds of claim about a member that travel as rumours. */
export interface Claim {
  readonly says: 'alive' | 'suspect' | 'dead'
  readonly incarnation: number
}

type Known = Pick<MemberRecord, 'incarnation' | 'liveness'>

/** Which rumour wins over what is known of a member (not of ourselves). A higher incarnation brings back even the dead. */
export const supersedes: { readonly [Says in Claim['says']]: (claim: Claim, known: Known) => boolean } = {
  alive: (claim, known) => claim.incarnation > known.incarnation,
  suspect: (claim, known) => claim.incarnation >= known.incarnation && known.liveness === 'alive',
  dead: (claim, known) =>
    claim.incarnation >= known.incarnation && (known.liveness === 'alive' || known.liveness === 'suspect'),
}

/** Whether a member counts as living. */
export const living = ({ liveness }: Pick<MemberRecord, 'liveness'>): boolean =>
  liveness === 'alive' || liveness === 'suspect'
