import { eventually } from '../../../lab/support/speaker-lab.ts'
import type { Router, RouterPath } from './router.ts'

/** What a router has been told by a neighbour, of both families: the path by its prefix. */
export async function learnt(router: Router, neighbor: string): Promise<ReadonlyMap<string, RouterPath>> {
  const found = new Map<string, RouterPath>()
  for (const family of ['ipv4', 'ipv6'] as const)
    for (const [prefix, paths] of await router.routes(family)) {
      const path = paths.find(one => one.neighbor === neighbor)
      if (path) found.set(prefix, path)
    }
  return found
}

/** Waits until a router holds exactly these prefixes from a neighbour, and each path fulfils what is asked of it. */
export async function holds(
  router: Router,
  neighbor: string,
  wanted: Readonly<Record<string, Partial<RouterPath>>>,
  seconds = 10,
): Promise<void> {
  const fits = (path: RouterPath | undefined, want: Partial<RouterPath>): boolean =>
    Object.entries(want).every(
      ([key, value]) => JSON.stringify(path?.[key as keyof RouterPath]) === JSON.stringify(value),
    )
  let has: ReadonlyMap<string, RouterPath> = new Map()
  const look = async (): Promise<true | undefined> => {
    has = await learnt(router, neighbor)
    const all = Object.entries(wanted)
    return (
      (has.size === all.length && all.every(([prefix, want]) => fits(has.get(prefix), want))) || undefined
    )
  }
  await eventually(`${router.version} holds the routes of ${neighbor}`, look, seconds).catch(
    (error: Error) => {
      const text = (value: unknown): string => JSON.stringify(value, undefined, 1)
      throw new Error(
        `${error.message}: it has ${text(Object.fromEntries(has))}, not ${text(wanted)}\n${router.log}`,
      )
    },
  )
}
