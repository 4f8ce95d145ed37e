import { type Access, type Found, findPod, type PodSurroundings } from './pod.ts'

/** A process of the cluster that begins its work. */
export interface Starting {
  /** What it waits for, in words; for /readyz. */
  readonly waiting: string | undefined
  /** Rejects with what is in the way for good; else it stays open. */
  readonly failed: Promise<never>
  /** The process ends: what was not begun is not begun any more, and what fails from now on is no failure. */
  stop(): void
}

/**
 * Begins the work of a process as soon as its Pod is known: the objects that it makes go along with that. Nothing else waits for it, such
 * as the answers to probes.
 */
export function startInPod(
  access: Access,
  podName: string | undefined,
  surroundings: Omit<PodSurroundings, 'waiting'>,
  begin: (pod: Found) => Promise<void>,
): Starting {
  let waiting: string | undefined
  let stopped = false
  const start = async (): Promise<void> => {
    const told = (message: string): void => {
      waiting = message
    }
    const pod = await findPod(access, podName, { ...surroundings, waiting: told })
    waiting = undefined
    if (!pod || stopped) return
    try {
      await begin(pod)
    } catch (error) {
      if (!stopped) throw error
      surroundings.log.debug({ err: error }, 'stopped before the cluster was seen')
    }
  }
  const failed = start().then(() => new Promise<never>(() => {}))
  return {
    failed,
    get waiting() {
      return waiting
    },
    stop() {
      stopped = true
    },
  }
}
