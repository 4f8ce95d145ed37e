import { CarillonError } from '@carillon/core'
import { describeNotification } from '../wire/index.ts'
import type { NotificationMessage } from '../wire/message.ts'

/** Why the session ended, where the peer said so. */
export function received(message: NotificationMessage): CarillonError {
  return new CarillonError(
    'NOTIFICATION_RECEIVED',
    `the peer ended the session: ${describeNotification(message)}`,
    {
      notification: `${message.code}/${message.subcode}`,
    },
  )
}
