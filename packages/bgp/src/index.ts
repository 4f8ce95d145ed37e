/**
 * Announces addresses to routers: BGP-4 with BFD.
 *
 * @packageDocumentation
 */
export type { BgpAnnouncer } from './announcer/announcer.ts'
export { bfdWatcher } from './announcer/bfd-watcher.ts'
export { bgp } from './announcer/bgp.ts'
export type { BgpOptions } from './announcer/options.ts'
export { codes } from './codes.ts'
export type { Negotiated } from './fsm/negotiated.ts'
export type { SessionState } from './fsm/state.ts'
export { type Knock, type KnockOptions, knock } from './knock.ts'
export type {
  BfdObserver,
  BfdState,
  BfdTarget,
  BfdWatch,
  BfdWatcher,
  BfdWatchStatus,
} from './session/bfd-watch.ts'
export type { BgpRoute } from './session/route.ts'
export type { RouteChanges, RouteStanding } from './session/routes.ts'
export type { SessionCounters, SessionStatus } from './session/status.ts'
export {
  BgpSpeaker,
  type BgpSpeakerEvents,
  type BgpSpeakerOptions,
  type ListenOptions,
} from './speaker/bgp-speaker.ts'
export { metricNames } from './speaker/instruments.ts'
export { type BgpPeer, peerDefaults } from './speaker/peer.ts'
export type * from './wire/message.ts'
