import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

test('CONTRIBUTING.md lists the root scripts, all of them and no others', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const listed = [...read('CONTRIBUTING.md').matchAll(/^\| `npm (?:run )?([a-z:-]+)` \|/gm)].map(
    match => match[1],
  )
  expect(listed.toSorted()).toEqual(Object.keys(scripts).toSorted())
})
