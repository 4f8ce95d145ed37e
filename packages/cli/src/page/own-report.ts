import { availableParallelism, loadavg } from 'node:os'
import type { MembershipStanding, Speaker, SpeakerStatus } from '@carillon/core'
import type { NodeReport, SessionReport } from '@carillon/web'
import { whereabouts } from '../sessions.ts'

/** What only the gossip of this node knows. */
export interface Hearing {
  readonly healthScore: number | undefined
  standing(): MembershipStanding
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits))

/** A session as this node tells others of it. */
export function reportSession(session: SpeakerStatus['sessions'][number]): SessionReport {
  const { peer, state, since, downSince, negotiated, bfd, routes, lastError, waiting } = session
  const trouble = state === 'Established' ? undefined : (lastError?.message ?? waiting)
  return {
    peer,
    at: whereabouts(session),
    state,
    since: downSince ?? since,
    routes: [routes.desired, routes.announced, routes.pending, routes.failed],
    ...(negotiated && { peerAs: negotiated.peerAs }),
    ...(bfd && { bfd: bfd.state }),
    ...(trouble === undefined ? {} : { trouble }),
  }
}

/** The announcers that do not work as a whole, and those that cannot announce some of what they should. */
function failuresOf(speaker: Speaker): readonly string[] {
  const broken = speaker.failures().map(({ name, failure }) => `${name}: ${failure}`)
  const partly = speaker.announcers.flatMap(announcer => {
    const failed = announcer.status().filter(({ state }) => state === 'failed')
    const [first] = failed
    if (!first) return []
    const what = failed.length === 1 ? first.address : `${first.address} and ${failed.length - 1} more`
    return `${announcer.name}: ${what}: ${first.error?.message ?? 'cannot be announced'}`
  })
  return [...broken, ...partly]
}

/** Gives what there is to say of this node, whenever it is called. */
export function ownReport(speaker: Speaker, hearing: Hearing | undefined): () => NodeReport {
  const processors = availableParallelism()
  let before = { at: performance.now(), used: process.cpuUsage() }
  return () => {
    const { version, startedAt, configuration, sessions } = speaker.overview()
    const now = { at: performance.now(), used: process.cpuUsage() }
    const usedMs = (now.used.user + now.used.system - before.used.user - before.used.system) / 1000
    const cpu = usedMs / Math.max(1, now.at - before.at)
    before = now
    const health = hearing?.healthScore
    return {
      version,
      startedAt,
      configuration,
      standing: hearing?.standing() ?? 'confirmed',
      ...(health === undefined ? {} : { health }),
      load: round((loadavg()[0] ?? 0) / processors, 2),
      cpu: round(cpu, 3),
      memory: process.memoryUsage.rss(),
      failures: failuresOf(speaker),
      sessions: sessions.map(reportSession),
    }
  }
}
