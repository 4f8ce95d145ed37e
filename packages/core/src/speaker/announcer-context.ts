import { systemClock } from '../clock.ts'
import { silentLogger } from '../logger.ts'
import { noMetrics } from '../metrics.ts'
import type { AnnouncerContext } from './announcer.ts'

/** The world for an announcer that is used alone: the system's time and randomness, no log, no metrics, and what is given instead. */
export function announcerContext(
  given: Pick<AnnouncerContext, 'node' | 'network'> & Partial<AnnouncerContext>,
): AnnouncerContext {
  return { clock: systemClock, log: silentLogger, metrics: noMetrics, random: Math.random, ...given }
}
