import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const script = fileURLToPath(new URL('../../scripts/check-imports.mjs', import.meta.url))

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'imports-'))
  write('package.json', JSON.stringify({ devDependencies: { vitest: '1' } }))
  for (const value of ['address', 'bytes', 'errors'])
    write(`packages/core/src/${value}.ts`, `export const ${value} = 1`)
  for (const [name, siblings] of [
    ['core', []],
    ['arp', ['core']],
    ['sockets', ['core']],
  ] as const) {
    const dependencies = Object.fromEntries(siblings.map(sibling => [`@carillon/${sibling}`, 'workspace:^']))
    write(`packages/${name}/package.json`, JSON.stringify({ dependencies }))
    write(
      `packages/${name}/tsconfig.json`,
      JSON.stringify({ references: siblings.map(sibling => ({ path: `../${sibling}` })) }),
    )
    write(
      `packages/${name}/src/index.ts`,
      siblings.map(sibling => `import '@carillon/${sibling}'`).join('\n'),
    )
  }
})

afterEach(() => rmSync(folder, { recursive: true }))

function write(path: string, text: string): void {
  mkdirSync(join(folder, dirname(path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

/** What the check prints about the repository in `folder`; it fails exactly when it prints something. */
function breaches(): string[] {
  const { status, stdout } = spawnSync(process.execPath, [script, folder], { encoding: 'utf8' })
  expect(status).toBe(stdout === '' ? 0 : 1)
  return stdout.split('\n').filter(Boolean)
}

test('a repository that keeps the rules passes in silence', () => {
  write('packages/arp/src/wire/arp.ts', "import { bytes } from '@carillon/core'\nimport './ethernet.ts'")
  write('packages/arp/src/wire/arp.test.ts', "import { test } from 'vitest'\nimport '@carillon/core/testing'")
  write('packages/core/src/allocation/hash.ts', "import { createHash } from 'node:crypto'")
  write('packages/core/src/source/disk.ts', "import { readFile } from 'node:fs/promises'")
  write('bench/allocation.ts', "import '@carillon/core'\nimport './support/result.ts'")
  expect(breaches()).toEqual([])
})

test('each breach is named, with the file', () => {
  const cases: readonly (readonly [path: string, text: string, complaint: string])[] = [
    ['packages/arp/src/a.ts', "import '@carillon/sockets'", 'arp may not import @carillon/sockets'],
    [
      'packages/arp/src/b.ts',
      "export type A = import('@carillon/sockets').A",
      'arp may not import @carillon/sockets',
    ],
    ['packages/arp/src/c.ts', "import '../../core/src/bytes.ts'", 'leaves the package'],
    ['packages/arp/src/d.ts', "import '@carillon/core/testing'", 'is for tests'],
    ['packages/arp/src/e.ts', "import 'vitest'", 'vitest is not among the dependencies'],
    ['packages/arp/src/wire/a.ts', "export { drive } from '@carillon/core'", 'wire/ may not import drive'],
    [
      'packages/arp/src/wire/b.ts',
      "import * as core from '@carillon/core'",
      'wire/ may not import * from core',
    ],
    ['packages/arp/src/wire/c.ts', "import '../index.ts'", 'lies outside of wire/'],
    ['packages/core/src/a.ts', "await import('@carillon/arp')", 'core may not import @carillon/arp'],
    [
      'packages/core/src/config/a.ts',
      "import { statSync } from 'node:fs'",
      'pure code may not import node:fs',
    ],
    ['packages/new/package.json', '{}', 'the package new is unknown'],
    ['packages/arp/tsconfig.json', '{}', 'a reference to @carillon/core is missing'],
    ['packages/sockets/src/index.ts', '', '@carillon/core is declared but not imported'],
    ['bench/a.ts', "import '../packages/core/src/index.ts'", 'leaves bench/'],
  ]
  for (const [path, text] of cases) write(path, text)
  const found = breaches()
  expect(found).toHaveLength(cases.length)
  for (const [path, , complaint] of cases) {
    const where = path === 'packages/sockets/src/index.ts' ? 'packages/sockets/package.json' : path
    expect(found.filter(line => line.startsWith(`${where}: `) && line.includes(complaint))).toHaveLength(1)
  }
})

test('types alone may come from any module of Node, even in pure code', () => {
  write(
    'packages/core/src/config/a.ts',
    "import type { Stats } from 'node:fs'\nimport { type Dirent } from 'node:fs'",
  )
  expect(breaches()).toEqual([])
})
