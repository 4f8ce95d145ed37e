import type { Assignment } from '../allocation/index.ts'
import type { AddressPlan } from './address-plan.ts'
import type { GateOutcome } from './gate.ts'
import type { Plan } from './plan.ts'
import type { Protocol } from './protocol.ts'
import { type Meaning, meaningOf, type Verdict } from './verdict.ts'

/** One node and what came of it. */
export interface NodeExplanation {
  readonly protocol: Protocol
  readonly node: string
  readonly verdict: Verdict
  /** The verdict of a silent node in sentences. */
  readonly meaning: Meaning | undefined
  /** In the order of asking; the last is the one that decided. */
  readonly gates: readonly GateOutcome[]
}

/** A candidate's place in the order of succession. */
export interface SuccessionEntry {
  readonly node: string
  readonly score: number
  /** SHA-256 of `node#address`, 64 hexadecimal digits. */
  readonly digest: string
  /** What puts it before the one that follows: a higher score or a smaller digest; undefined for the last. */
  readonly aheadBy: 'score' | 'digest' | undefined
}

/** Why things are as they are with a Service: what `carillon explain` tells. */
export interface Explanation {
  readonly service: string
  readonly state: Assignment['state']
  readonly pool: string | undefined
  readonly reason: Assignment['reason']
  readonly addresses: readonly AddressPlan[]
  readonly protocols: readonly Protocol[]
  /** The address whose digests order the succession. */
  readonly electedBy: string | undefined
  readonly succession: readonly SuccessionEntry[]
  /** Every known node for each protocol, by protocol and name; empty unless an address is assigned. */
  readonly nodes: readonly NodeExplanation[]
}

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')

/** Explains a Service, by `namespace/name`; undefined when the plan does not know it. */
export function explain(plan: Plan, key: string): Explanation | undefined {
  const service = plan.services.get(key)
  if (!service) return undefined
  const standings = service.standings()
  const assigned = service.state === 'assigned'
  return {
    service: key,
    state: service.state,
    pool: service.pool,
    reason: service.reason,
    addresses: assigned ? service.addresses.flatMap(address => plan.addresses.get(address) ?? []) : [],
    protocols: service.protocols,
    electedBy: standings.length > 0 ? service.addresses[0] : undefined,
    succession: standings.map(({ node, score, digest }, i) => {
      const next = standings[i + 1]
      const aheadBy = next && (score > next.score ? 'score' : 'digest')
      return { node, score, digest: hex(digest), aheadBy }
    }),
    nodes: assigned
      ? service.protocols.flatMap(protocol =>
          [...plan.nodes.keys()].sort().map((node): NodeExplanation => {
            const verdict = service.verdict(node, protocol)
            const meaning = verdict.speak ? undefined : meaningOf(verdict.because, protocol)
            return { protocol, node, verdict, meaning, gates: service.gates(node, protocol) }
          }),
        )
      : [],
  }
}
