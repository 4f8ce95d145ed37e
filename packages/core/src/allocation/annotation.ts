import type { LabelMap } from '../config/config.ts'

/** The prefix that MetalLB's annotations have. */
export const annotationPrefix = 'metallb.io/'
/** The prefix that they had; still read. */
export const deprecatedPrefix = 'metallb.universe.tf/'

/**
 * The value of one of MetalLB's annotations, by its name without prefix. The present prefix wins over the deprecated one,
 * even with an empty value.
 */
export const annotationOf = (annotations: LabelMap, name: string): string | undefined =>
  annotations[annotationPrefix + name] ?? annotations[deprecatedPrefix + name]
