/**
 * Who is alive: SWIM with Lifeguard, on the wire of hashicorp/memberlist.
 *
 * @packageDocumentation
 */
export { codes } from './codes.ts'
export type { Delegate } from './delegate.ts'
export { Gossip, type GossipStats } from './gossip.ts'
export type { GossipEvents } from './gossip-events.ts'
export type { GossipOptions } from './gossip-options.ts'
export type { Resolve } from './joiner.ts'
export { KeyFile, type KeyFileOptions, parseKeys } from './key-file.ts'
export { deriveMetalLBKey, Keyring, parseKeyFile } from './keyring.ts'
export type { MemberInfo } from './member-info.ts'
export { type MemberlistConfig, parseMemberlistConfig } from './memberlist-config.ts'
export { type ProfileName, profiles, type Settings, type WatchSettings } from './profile.ts'
export {
  answerPings,
  type OutsiderOptions,
  type Reach,
  type ReachOptions,
  reach,
  type StreamReach,
} from './reach.ts'
