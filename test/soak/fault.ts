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

/** What happens to all of them at once. */
export const sharedFaults = ['edit', 'brokenEdit', 'halfEdit', 'router'] as const

export type NodeFault = (typeof nodeFaults)[number]
export type SharedFault = (typeof sharedFaults)[number]

/** One fault of a soak run. */
export type Fault =
  | { readonly kind: NodeFault; readonly node: string; readonly ms: number }
  | { readonly kind: SharedFault; readonly choice: number; readonly ms: number }

/** What happens at one time: one fault, or two on different nodes. */
export type Round = readonly Fault[]

/** A fault in a few words. */
export const faultText = (fault: Fault): string =>
  'node' in fault
    ? `${fault.kind} ${fault.node} for ${fault.ms} ms`
    : `${fault.kind} #${fault.choice} for ${fault.ms} ms`
