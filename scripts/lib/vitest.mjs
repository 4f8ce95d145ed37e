import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { at, cache, readJson } from './project.mjs'
import { run } from './run.mjs'

/** Runs vitest under the given Node and resolves to `{ passed, failed: [{ name, reason }], skipped: [{ name, reason }] }`. */
export async function vitest(node, args) {
  const file = cache('tally.json')
  mkdirSync(cache(), { recursive: true })
  rmSync(file, { force: true })
  const { code } = await run(
    node,
    [
      at('node_modules/vitest/vitest.mjs'),
      'run',
      '--passWithNoTests',
      '--reporter=default',
      `--reporter=${at('scripts/lib/tally-reporter.mjs')}`,
      ...args,
    ],
    { env: { CARILLON_TALLY: file } },
  )
  const tally = existsSync(file) ? readJson(file) : { passed: 0, failed: [], skipped: [] }
  // Whatever else made vitest end badly counts, too.
  return code !== 0 && tally.failed.length === 0
    ? { ...tally, failed: [{ name: 'vitest', reason: `ended with ${code}` }] }
    : tally
}
