/** Where the nodes of a soak run are told what to announce. */
export type SourceName = 'files' | 'kubernetes'

/** What may happen to one node. */
export const nodeFaults = [
  'kill',
  'stop',
  'freeze',
  'cut',
  'flap',
  'unplug',
  'clockStep',
  'descriptors',
] as const

/** What happens to all of them at once, whatever they are told by. */
const commonFaults = ['edit', 'brokenEdit', 'diskFull', 'router'] as const

/** What happens to the API server and to controllers. Whatever happens to a node has to go well meanwhile. */
export const apiFaults = [
  'apiAway',
  'apiFrozen',
  'apiErrors',
  'apiForgets',
  'apiDrops',
  'controller',
] as const

/** What happens to all nodes at once, by what they are told by. */
export const sharedFaults = {
  files: [...commonFaults, 'halfEdit'],
  kubernetes: [...commonFaults, ...apiFaults],
} as const satisfies Readonly<Record<SourceName, readonly string[]>>

export type NodeFault = (typeof nodeFaults)[number]
export type SharedFault = (typeof sharedFaults)[SourceName][number]

/** One fault of a soak run. */
export type Fault =
  | { readonly kind: NodeFault; readonly node: string; readonly ms: number }
  | { readonly kind: SharedFault; readonly choice: number; readonly ms: number }

/** What happens at one time: one fault, or two of which at most one is not of a node, and never two of the same node. */
export type Round = readonly Fault[]

/** Ends a fault; what it gives ends what has come in its place, once all is right again. */
export type Undo = () => Promise<Undo | undefined>

/** A fault in a few words. */
export const faultText = (fault: Fault): string =>
  'node' in fault
    ? `${fault.kind} ${fault.node} for ${fault.ms} ms`
    : `${fault.kind} #${fault.choice} for ${fault.ms} ms`

/** Steps that end a fault, one after the other, with all right in between. */
export function over(...[first, ...others]: readonly (() => unknown)[]): Undo {
  return async () => {
    await first?.()
    return others.length > 0 ? over(...others) : undefined
  }
}
