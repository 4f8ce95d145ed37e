import { describeLab } from '../../../lab/support/needs.ts'

/** A `describe` for tests that run BFD with FRR and BIRD. */
export const describeBfd = (title: string, body: () => void): void =>
  describeLab(title, ['/usr/lib/frr/bgpd', 'bird', 'bridge'], body)
