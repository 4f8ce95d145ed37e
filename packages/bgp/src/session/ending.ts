import { CarillonError } from '@carillon/core'
import { notification, shutdown } from '../wire/index.ts'
import type { NotificationMessage } from '../wire/message.ts'

/** Why a session is ended by us. */
export type Ending =
  /** The speaker stops, and may come back. */
  | 'shutdown'
  /** The peer is not to be spoken with any more. */
  | 'deconfigured'
  /** It is to be spoken with in another way. */
  | 'changed'

interface Farewell {
  readonly words: string
  /** What the peer is told, if anything. */
  told(): NotificationMessage
}

const farewells: Readonly<Record<Ending, Farewell>> = {
  shutdown: {
    words: 'the speaker stops',
    // RFC 9003
    told: () => shutdown('administrativeShutdown', 'Carillon stops on this node'),
  },
  deconfigured: {
    words: 'the peer is not configured any more',
    told: () => notification('cease', 'peerDeconfigured'),
  },
  changed: {
    words: 'the peer is configured in another way',
    told: () => notification('cease', 'otherConfigurationChange'),
  },
}

/** What the peer is told at such an end. */
export const told = (ending: Ending): NotificationMessage => farewells[ending].told()

/** What is told of it on this side. */
export function ended(ending: Ending): CarillonError {
  const { words } = farewells[ending]
  return new CarillonError('SESSION_STOPPED', `we ended the session: ${words}`, { ending })
}
