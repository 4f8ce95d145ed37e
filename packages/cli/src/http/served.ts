import type { Speaker } from '@carillon/core'
import type { Feed } from '../page/feed.ts'

/** What a process shows of itself over HTTP. */
export interface Served {
  /** Whether it does its work, and what stands in the way; for /readyz. */
  readiness(): { readonly ready: boolean; readonly [detail: string]: unknown }
  /**
   * Everything, as JSON takes it; for /api/v1/status.
   *
   * @param of only the Services that this means
   */
  status(of?: string): unknown
  /** What the page at / is told; absent: there is no page. */
  readonly feed?: Feed
}

/** A speaker over HTTP. `more`: what else /readyz is to show. `feed`: what the page is told. */
export function servedBy(speaker: Speaker, more: () => object = () => ({}), feed?: Feed): Served {
  return {
    readiness: () => ({
      ready: speaker.ready,
      configuration: speaker.configuration,
      problems: speaker.problems.filter(problem => problem.severity === 'error'),
      announcers: speaker.failures(),
      ...more(),
    }),
    status: of => speaker.status(of),
    ...(feed && { feed }),
  }
}
