export { AdjRibOut, type RibCounts, type RibSent, type RouteState } from './adj-rib-out.ts'
export {
  type Communities,
  type PathAttributes,
  PathAttributesPool,
  readCommunities,
} from './path-attributes.ts'
export { type PrefixWords, readPrefix } from './prefix-text.ts'
export type { RibTerms } from './terms.ts'
