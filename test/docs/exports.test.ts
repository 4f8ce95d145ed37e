import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

test('everything that a package exports has a doc comment, and typedoc can read them all', {
  timeout: 300_000,
}, async () => {
  const printed = await new Promise<string>(resolve => {
    const typedoc = fileURLToPath(new URL('../../node_modules/typedoc/bin/typedoc', import.meta.url))
    // 1 as the exit code where a warning counts as an error; what is printed says more.
    execFile(process.execPath, [typedoc, '--emit', 'none'], { cwd: root }, (_error, out, err) =>
      resolve(out + err),
    )
  })
  expect(printed.split('\n').filter(line => /\[error\]|has no doc comment/.test(line))).toEqual([])
  expect(printed).toContain('Merging converted projects')
})
