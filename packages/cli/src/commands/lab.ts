import { enter, inside } from '../lab/enter.ts'
import type { RouterName } from '../lab/router.ts'
import type { Terminal } from '../terminal.ts'

export interface LabOptions {
  readonly keep: boolean
  readonly json: boolean
  /** With a router: this one, or whichever is installed. */
  readonly bgp?: RouterName | true
}

/** `carillon lab`: 0 when the addresses went where they should. */
export async function lab({ bgp, ...options }: LabOptions, terminal: Terminal): Promise<number> {
  if (bgp === undefined) {
    return inside() ? await (await import('../lab/story.ts')).tellStory(options, terminal) : await enter()
  }
  const router = bgp === true ? undefined : bgp
  // What is missing is said before anything is built.
  if (!inside()) {
    await (await import('../lab/router.ts')).findRouter(router)
    return await enter()
  }
  const { tellBgpStory } = await import('../lab/bgp-story.ts')
  return await tellBgpStory({ ...options, ...(router && { router }) }, terminal)
}
