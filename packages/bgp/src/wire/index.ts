export { type Decoded, decodeMessage, encodeMessage } from './codec.ts'
export {
  type NotificationName,
  notification,
  type Reaction,
  type SubcodeName,
  WireFault,
} from './fault.ts'
export { Framer } from './framer.ts'
export { HEADER, MAX_EXTENDED_MESSAGE, MAX_MESSAGE, writeHeader } from './header.ts'
export {
  AS_TRANS,
  afis,
  attributeCodes,
  attributeFlags,
  capabilityCodes,
  messageTypes,
  notificationCodes,
  originCodes,
  refreshSubtypes,
  safis,
  segmentTypes,
} from './iana.ts'
export {
  type AsSegment,
  type Attributes,
  type Capability,
  type Dialect,
  type KeepaliveMessage,
  type Message,
  type NotificationMessage,
  type OpenMessage,
  type Prefix,
  type RouteFamily,
  type RouteRefreshMessage,
  routeFamilies,
  type UpdateMessage,
} from './message.ts'
export {
  describeNotification,
  hardReset,
  hardResetReason,
  shutdown,
  shutdownText,
} from './notification.ts'
export { endOfRib, endOfRibFamily, writeAttributes } from './update.ts'
