import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { at, cache, readJson } from './project.mjs'
import { run } from './run.mjs'

/**
 * Runs vitest under the given Node and resolves to its tally, as tally-reporter.mjs has it.
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
  const tally = existsSync(file) ? readJson(file) : { files: [], failed: [] }
  rmSync(folder, { recursive: true })
  // Whatever else made vitest end badly counts, too.
  const told = tally.failed.length > 0 || tally.files.some(({ failed }) => failed.length > 0)
  return code !== 0 && !told
    ? { ...tally, failed: [{ name: 'vitest', reason: `ended with ${code}` }] }
    : tally
}

/** What all files of a tally come to together: `{ passed, failed, skipped }`. */
export function summed({ files, failed }) {
  return {
    passed: files.reduce((sum, { passed }) => sum + passed, 0),
    failed: [...failed, ...files.flatMap(file => file.failed)],
    skipped: files.flatMap(({ skipped }) => skipped),
  }
}
