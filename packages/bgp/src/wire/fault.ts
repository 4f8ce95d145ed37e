import { CarillonError } from '@carillon/core'
import { notificationCodes } from './iana.ts'
import type { NotificationMessage } from './message.ts'

/**
 * What a fault leads to (RFC 7606 section 2): the session falls; the routes of the UPDATE count as withdrawn; or only the
 * attribute is left out.
 */
export type Reaction = 'reset' | 'withdraw' | 'discard'

/** A message that is not as the RFCs say. */
export class WireFault extends CarillonError {
  readonly reaction: Reaction
  /** What to send to the peer where the session falls. */
  readonly notification: NotificationMessage

  constructor(
    code: 'BAD_HEADER' | 'BAD_OPEN' | 'BAD_UPDATE' | 'BAD_ROUTE_REFRESH',
    message: string,
    notification: NotificationMessage,
    reaction: Reaction = 'reset',
    options?: ErrorOptions,
  ) {
    super(code, message, { reaction, notification: `${notification.code}/${notification.subcode}` }, options)
    this.reaction = reaction
    this.notification = notification
  }
}

type Codes = typeof notificationCodes

/** The names by which the codes of NOTIFICATION messages are known here. */
export type NotificationName = keyof Codes

/** The names of the subcodes of one code. */
export type SubcodeName<Name extends NotificationName> = keyof Codes[Name]['subcodes']

/** A NOTIFICATION by the names of its code and subcode: `notification('cease', 'peerDeconfigured')`. */
export function notification<Name extends NotificationName>(
  name: Name,
  subcode: SubcodeName<Name>,
  data: Uint8Array = new Uint8Array(0),
): NotificationMessage {
  const { code, subcodes } = notificationCodes[name]
  const known = (subcodes as Readonly<Record<SubcodeName<Name>, { readonly code: number }>>)[subcode]
  return { type: 'notification', code, subcode: known.code, data }
}
