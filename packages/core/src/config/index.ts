export { canonicalCommunity, compareCommunities, wellKnownCommunities } from './community.ts'
export type {
  AddressEntry,
  AddressRange,
  BfdProfile,
  BgpAd,
  Cidr,
  Config,
  L2Ad,
  LabelMap,
  Peer,
  Pool,
  Selector,
  ServiceAllocation,
} from './config.ts'
export { localPrefConflict, sessionKey } from './conflict.ts'
export { ConfigParser, type ParsedConfig, parseConfig } from './parse-config.ts'
export { compareProblems, type Problem } from './problem.ts'
export {
  addressToNumber,
  findOverlaps,
  joinRanges,
  lastOfCidr,
  numberToAddress,
  parseAddressEntry,
  rangeOf,
  summarise,
} from './ranges.ts'
export { matchesAny } from './selector.ts'
