import type { Association } from './association.ts'
import { type Offer, SLOW_MS } from './intervals.ts'

const same = (a: Offer, b: Offer): boolean =>
  a.desiredMinTxMs === b.desiredMinTxMs && a.requiredMinRxMs === b.requiredMinRxMs

/** What our packets should say: slow unless the session is up (RFC 5880 section 6.8.3). */
export const wished = ({ parameters, state }: Pick<Association, 'parameters' | 'state'>): Offer => ({
  desiredMinTxMs: state === 'up' ? parameters.desiredMinTxMs : Math.max(SLOW_MS, parameters.desiredMinTxMs),
  requiredMinRxMs: parameters.requiredMinRxMs,
})

/** Brings what we say, and what we go by, in line with what is wished; where the peer has to know first, it will be asked. */
export function negotiated(a: Association): Association {
  const said = wished(a)
  if (a.state !== 'up') return { ...a, said, inForce: said, poll: 'none' }
  // A question that is out must be answered first: its answer would be taken for that to the next.
  if (same(said, a.said) || a.poll === 'asked' || a.poll === 'pause') return a
  const inForce = {
    // Faster at once, slower only when the peer knows.
    desiredMinTxMs: Math.min(a.inForce.desiredMinTxMs, said.desiredMinTxMs),
    // More patient at once, less patient only when the peer knows.
    requiredMinRxMs: Math.max(a.inForce.requiredMinRxMs, said.requiredMinRxMs),
  }
  return { ...a, said, inForce, poll: 'due' }
}

/** The peer has answered our question. */
export const confirmed = (a: Association): Association => ({
  ...a,
  inForce: a.said,
  poll: same(a.said, wished(a)) ? 'none' : 'pause',
})

/** A packet other than a mere answer has gone out. */
export function asked(a: Association): Association {
  if (a.poll === 'due') return { ...a, poll: 'asked' }
  return a.poll === 'pause' ? negotiated({ ...a, poll: 'none' }) : a
}
