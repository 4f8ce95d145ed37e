import { chmodSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Segment, SegmentNode } from '../segment.ts'

/** Where one of the two routers runs, and whom it speaks with. */
export interface End {
  readonly segment: Segment
  readonly node: SegmentNode
  /** Address of the other end. */
  readonly peer: string
  readonly as: number
  readonly peerAs: number
  /** Empty, and its own. */
  readonly folder: string
}

/** Both ends of the session to be, in fresh folders: who sends, and who receives. */
export function ends(segment: Segment): { readonly sender: End; readonly receiver: End } {
  const [a, b] = segment.nodes
  if (!a || !b) throw new Error('the segment needs two nodes')
  // FRR runs as a user of its own.
  chmodSync(segment.folder, 0o755)
  const end = (node: SegmentNode, other: SegmentNode, as: number, peerAs: number): End => {
    const folder = join(segment.folder, `${node.name}-${performance.now()}`)
    mkdirSync(folder, { mode: 0o777 })
    return { segment, node, peer: other.address, as, peerAs, folder }
  }
  return { sender: end(a, b, 65_002, 65_001), receiver: end(b, a, 65_001, 65_002) }
}

/** Asks again and again until the answer is not undefined. */
export async function until<T>(
  what: string,
  seconds: number,
  ask: () => Promise<T | undefined>,
  everyMs = 3,
): Promise<T> {
  const end = performance.now() + seconds * 1000
  while (performance.now() < end) {
    const answer = await ask()
    if (answer !== undefined) return answer
    await pause(everyMs)
  }
  throw new Error(`${what}: not within ${seconds} s`)
}

/** As an answer of `until`: nothing until a control socket answers. */
export const answered = <T>(asking: Promise<T>): Promise<T | undefined> => asking.catch(() => undefined)

/** The addresses of routes, from 10.100.0.0 on. */
export const addresses = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `10.${100 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`)

/** The one route that is announced and withdrawn beside all others. */
export const single = '10.99.0.1'
