import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { announcerContract } from '@carillon/core/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { nodes } from './support/nodes.ts'
import { compile, project, run } from './support/packed.ts'

const example = fileURLToPath(new URL('../../examples/custom-announcer/', import.meta.url))
const installed = join(project, 'custom-announcer')

beforeAll(() => {
  rmSync(installed, { recursive: true, force: true })
  mkdirSync(installed)
  for (const file of ['hosts-file.ts', 'hosts-file.test.ts', 'tsconfig.json', 'package.json'])
    cpSync(join(example, file), join(installed, file))
})

it('the example of an announcer compiles against the packages', () => {
  expect(compile(installed)).toBe('')
})

describe.each(nodes)('under Node $release', ({ path }) => {
  it('it passes the suite that every announcer must pass, and its own tests', async () => {
    const test = join('dist', 'hosts-file.test.js')
    const { printed, code } = await run(await path(), ['--test', '--test-reporter=tap', test], {
      cwd: installed,
    })
    expect(code, printed).toBe(0)
    const checks = announcerContract(() => {
      throw new TypeError('only names are asked for')
    })
    const passed = new Set([...printed.matchAll(/^ *ok \d+ - (.+)$/gm)].map(([, name]) => name))
    expect(checks.filter(({ name }) => !passed.has(name))).toEqual([])
  })
})
