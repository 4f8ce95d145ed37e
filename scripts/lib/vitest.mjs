import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { at, cache, readJson } from './project.mjs'
import { run } from './run.mjs'

/**
 * Runs vitest under the given Node and resolves to `{ passed, failed: [{ name, reason }], skipped: [{ name, reason }] }`.
 * A `quiet` one gives way to whatever else runs, and prints once it is done.
 */
export async function vitest(node, args, { quiet = false } = {}) {
  mkdirSync(cache(), { recursive: true })
  const folder = mkdtempSync(cache('tally-'))
  const file = join(folder, 'tally.json')
  const { code, output } = await run(
    node,
    [
      at('node_modules/vitest/vitest.mjs'),
      'run',
      '--passWithNoTests',
      '--reporter=default',
      `--reporter=${at('scripts/lib/tally-reporter.mjs')}`,
      ...args,
    ],
    { env: { CARILLON_TALLY: file }, capture: quiet, yielding: quiet },
  )
  if (quiet) process.stdout.write(output)
  const tally = existsSync(file) ? readJson(file) : { passed: 0, failed: [], skipped: [] }
  rmSync(folder, { recursive: true })
  // Whatever else made vitest end badly counts, too.
  return code !== 0 && tally.failed.length === 0
    ? { ...tally, failed: [{ name: 'vitest', reason: `ended with ${code}` }] }
    : tally
}
