import type { Speaker } from '@carillon/core'
import type { Cluster } from './cluster.ts'

/** Milliseconds for which a leaving node goes on answering, so that the next owner is there before it falls silent. */
const handOverMs = 120

/** Leaves, and falls silent only when another node has had the time to announce. Without gossip it falls silent at once. */
export async function handOver(speaker: Speaker, cluster: Cluster | undefined): Promise<void> {
  const company = cluster?.hasCompany ?? false
  speaker.retire()
  const left = cluster?.leave()
  if (company) await new Promise(resolve => setTimeout(resolve, handOverMs))
  await Promise.allSettled([speaker[Symbol.asyncDispose](), left])
}
