import { enter, inside } from '../lab/enter.ts'
import { tellStory } from '../lab/story.ts'
import type { Terminal } from '../terminal.ts'

export interface LabOptions {
  readonly keep: boolean
  readonly json: boolean
}

/** `carillon lab`: 0 when the client was served before, and by another node after the move. */
export async function lab(options: LabOptions, terminal: Terminal): Promise<number> {
  return inside() ? await tellStory(options, terminal) : await enter()
}
