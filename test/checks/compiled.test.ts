import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const packages = fileURLToPath(new URL('../../packages', import.meta.url))

test('compiled code imports no source: the compiler overlooks imports in functions that dispose of something', () => {
  const compiled = readdirSync(packages).flatMap(name =>
    readdirSync(join(packages, name, 'dist'), { recursive: true, encoding: 'utf8' })
      .filter(file => file.endsWith('.js'))
      .map(file => join(packages, name, 'dist', file)),
  )
  expect(compiled.length).toBeGreaterThan(100)
  const wrong = compiled.filter(file => /import\(\s*['"][^'"]+\.ts['"]/.test(readFileSync(file, 'utf8')))
  expect(wrong).toEqual([])
})

test('nothing of YAML is loaded by what a speaker in Kubernetes loads: it takes 9 MB', () => {
  const speaker = join(packages, 'cli', 'dist', 'commands', 'speaker.js')
  const script = `
    const { createRequire } = await import('node:module')
    await import(${JSON.stringify(speaker)})
    console.log(Object.keys(createRequire(import.meta.url).cache).join('\\n'))
  `
  const loaded = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: packages,
    encoding: 'utf8',
  })
  expect(loaded).not.toBe('')
  expect(loaded.split('\n').filter(path => /node_modules\/yaml\//.test(path))).toEqual([])
})
