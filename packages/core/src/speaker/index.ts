export type {
  AddressConflict,
  Advertisement,
  AnnouncementStatus,
  Announcer,
  AnnouncerContext,
  AnnouncerEvents,
  AnnouncerFactory,
  AnnouncerSettings,
  PeerRoute,
} from './announcer.ts'
export { announcerContext } from './announcer-context.ts'
export type { SpeakerEvent } from './history.ts'
export { PoolGauges } from './pool-gauges.ts'
export type {
  SessionAgreement,
  SessionDocument,
  SessionError,
  SessionRoutes,
  SessionStatus,
} from './session-status.ts'
export { Speaker, type SpeakerEvents, type SpeakerOptions } from './speaker.ts'
export type {
  AnnouncerStatus,
  InterfaceStatus,
  ServiceStatus,
  SpeakerOverview,
  SpeakerStatus,
} from './status.ts'
