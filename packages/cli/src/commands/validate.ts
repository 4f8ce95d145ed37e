import { ConfigParser } from '@carillon/core'
import { paint, type Terminal } from '../terminal.ts'
import { readManifests } from './manifests.ts'
import { problemLines } from './problems.ts'

export interface ValidateOptions {
  readonly manifests: readonly string[]
  readonly bgpPasswordFile?: readonly string[]
  readonly json: boolean
}

/** `carillon validate`: 0 when nothing is wrong but warnings, 1 otherwise. */
export async function validate(options: ValidateOptions, terminal: Terminal): Promise<number> {
  const snapshot = await readManifests(options.manifests, options.bgpPasswordFile)
  const { problems } = new ConfigParser().parse(snapshot)
  const valid = !problems.some(problem => problem.severity === 'error')
  if (options.json) terminal.print(JSON.stringify({ valid, problems }, null, 2))
  else {
    for (const line of problemLines(problems, terminal)) terminal.print(line)
    if (valid) terminal.print(paint(terminal, 'green', 'valid'))
  }
  return valid ? 0 : 1
}
