import * as z from 'zod'
import { flag, integer } from './field.ts'

const interval = { min: 10, max: 60000, format: 'int32' } as const

/** `spec` of a BFDProfile. */
export const bfdProfileSpec = z
  .object({
    receiveInterval: integer(
      'Shortest time between packets that this side can take, in milliseconds; 300 when unset.',
      interval,
    ).optional(),
    transmitInterval: integer(
      'Shortest time between packets that this side sends, in milliseconds; 300 when unset.',
      interval,
    ).optional(),
    detectMultiplier: integer('Packets that may be missed before the peer counts as down; 3 when unset.', {
      min: 2,
      max: 255,
      format: 'int32',
    }).optional(),
    echoInterval: integer(
      'Shortest time between echo packets, in milliseconds; 50 when unset.',
      interval,
    ).optional(),
    echoMode: flag('Use echo packets, on single-hop sessions.').optional(),
    passiveMode: flag('Wait for the peer to speak first.').optional(),
    minimumTtl: integer('Lowest TTL that is accepted on multi-hop sessions; 254 when unset.', {
      min: 1,
      max: 254,
      format: 'int32',
    }).optional(),
  })
  .meta({ description: 'Timers of the BFD sessions that use the profile.' })
