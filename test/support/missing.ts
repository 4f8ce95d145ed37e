import { existsSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { env } from 'node:process'

const folders = (env.PATH ?? '').split(delimiter).concat('/usr/sbin', '/sbin')

/** What `npm test` found missing, or for a test that runs without it: what PATH does not have. */
const isMissing = (command: string): boolean =>
  env.CARILLON_MISSING === undefined
    ? !(isAbsolute(command) ? [''] : folders).some(folder => existsSync(join(folder, command)))
    : env.CARILLON_MISSING.split(',').includes(command)

/**
 * Why a test that needs these commands (or libraries, by their folder) cannot run here; nothing where it can. For the first line of a test:
 * `const why = missing('arping'); context.skip(why !== undefined, why)`.
 */
export function missing(...commands: readonly string[]): string | undefined {
  const absent = commands.filter(isMissing)
  return absent.length > 0 ? `needs ${absent.join(', ')}, which this machine lacks` : undefined
}
