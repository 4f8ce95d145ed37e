import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

const pages = [
  ...readdirSync(root).filter(name => name.endsWith('.md')),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md') && !name.startsWith('api'))
    .map(name => join('docs', name)),
]

test.each(pages)('every link of %s leads somewhere', page => {
  const text = readFileSync(join(root, page), 'utf8')
  const targets = [...text.matchAll(/\]\((?!https?:)([^)#\s]+)/g)].map(match => match[1] as string)
  expect(targets.filter(target => !existsSync(join(root, dirname(page), target)))).toEqual([])
})

test('the index of decisions lists every decision', () => {
  const folder = join(root, 'docs', 'decisions')
  const index = readFileSync(join(folder, 'README.md'), 'utf8')
  const decisions = readdirSync(folder).filter(name => /^\d{4}-/.test(name))
  expect(decisions.filter(name => !index.includes(`(${name})`))).toEqual([])
})
