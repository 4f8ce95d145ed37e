import { execFileSync } from 'node:child_process'
import { describe } from 'vitest'

const findable = (program: string): boolean => {
  try {
    execFileSync('sh', ['-c', 'command -v "$1"', 'sh', program], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/**
 * A `describe` for tests that need root and certain programs. Without them the tests are skipped and the reason is printed; with
 * CARILLON_TEST_ALL=1 they run all the same, and fail.
 */
export function describeWithRoot(title: string, programs: readonly string[], body: () => void): void {
  const missing = [
    ...(process.platform === 'linux' ? [] : ['Linux']),
    ...(process.getuid?.() === 0 ? [] : ['root']),
    ...programs.filter(program => !findable(program)),
  ]
  if (missing.length === 0 || process.env.CARILLON_TEST_ALL === '1') {
    describe(title, body)
    return
  }
  process.stderr.write(`skipped: ${title}: needs ${missing.join(', ')}\n`)
  describe.skip(title, body)
}
