export { type BgpSession, BgpSessionStateWriter } from './bgp-session-state-writer.ts'
export {
  type Component,
  type ConfigurationStateOptions,
  ConfigurationStateWriter,
} from './configuration-state-writer.ts'
export { type PoolStatusOptions, PoolStatusWriter } from './pool-status-writer.ts'
export { ServiceBgpStatusWriter } from './service-bgp-status-writer.ts'
export {
  type ServiceL2Announcement,
  ServiceL2StatusWriter,
  type ServiceStatusObjectsOptions,
} from './service-l2-status-writer.ts'
export { type ServiceStatusOptions, ServiceStatusWriter } from './service-status-writer.ts'
export type { StatusObjectsOptions } from './status-objects.ts'
export type { WriterOptions, WriterStatus } from './write-queue.ts'
