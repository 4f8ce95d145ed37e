import { describe, test } from 'vitest'
import { missing } from '../../support/missing.ts'

/**
 * A `describe` for tests that need root, and programs beside `ip`. Where something is missing a single test takes its place, skipped
 * with the reason.
 */
export function describeLab(title: string, programs: readonly string[], body: () => void): void {
  const why = process.getuid?.() === 0 ? missing('ip', ...programs) : 'needs root'
  if (why === undefined) describe(title, body)
  else test(title, context => context.skip(true, why))
}
