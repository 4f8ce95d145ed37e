import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The tables of docs/errors.md: section -> code -> meaning. */
function documented(): Record<string, Record<string, string>> {
  const [, ...sections] = readFileSync(join(root, 'docs', 'errors.md'), 'utf8').split(/^## /m)
  return Object.fromEntries(
    sections.map(section => [
      section.slice(0, section.indexOf('\n')),
      Object.fromEntries([...section.matchAll(/^\| `(\w+)` \| (.+) \|$/gm)].map(row => [row[1], row[2]])),
    ]),
  )
}

/** The `codes` tables of the packages. */
async function raised(): Promise<Record<string, Record<string, string>>> {
  const tables: Record<string, Record<string, string>> = {}
  for (const name of readdirSync(join(root, 'packages')))
    for (const file of ['codes.ts', 'errors.ts'].map(one => join(root, 'packages', name, 'src', one)))
      if (existsSync(file)) {
        const { codes } = (await import(pathToFileURL(file).href)) as { codes?: Record<string, string> }
        if (codes !== undefined) tables[`@carillon/${name}`] = codes
      }
  return tables
}

test('docs/errors.md lists the codes that the packages raise, all of them and no others', async () => {
  expect(documented()).toEqual(await raised())
})
