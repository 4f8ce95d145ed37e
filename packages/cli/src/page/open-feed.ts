import { randomBytes } from 'node:crypto'
import { type Metrics, type Speaker, systemClock } from '@carillon/core'
import type { SourceTrouble } from './attention.ts'
import { Feed } from './feed.ts'
import { type Hearing, ownReport } from './own-report.ts'
import { type Post, Reports } from './reports.ts'
import type { Timeline } from './timeline.ts'

/** What a feed is made of in a running speaker. */
export interface OpenFeedOptions {
  readonly speaker: Speaker
  readonly metrics: Metrics
  readonly timeline: Timeline
  /** The gossip, where the node takes part in one. */
  readonly cluster?: Hearing & Post
  readonly trouble?: () => SourceTrouble | undefined
}

/** What the page of a running speaker is told; it also answers the other speakers when theirs is looked at. */
export function openFeed({ speaker, metrics, timeline, cluster, trouble }: OpenFeedOptions): Feed {
  const clock = systemClock
  const own = ownReport(speaker, cluster)
  return new Feed({
    speaker,
    timeline,
    reports: new Reports({ node: speaker.node, post: cluster, clock, metrics, own }),
    clock,
    epoch: randomBytes(6).toString('hex'),
    ...(cluster && { hearing: cluster }),
    ...(trouble && { trouble }),
  })
}
