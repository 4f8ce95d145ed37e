import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { describe, expect, it } from 'vitest'
import { filesOf, packages } from './support/packed.ts'

describe.each(packages)('the tarball of $name', published => {
  const bytes = readFileSync(published.tarball)

  it('pleases publint', async () => {
    const tarball = new Uint8Array(bytes).buffer
    const { messages, pkg } = await publint({ pack: { tarball }, strict: true })
    expect(messages.map(message => formatMessage(message, pkg))).toEqual([])
  })

  it('has types that are right wherever ESM can be imported', async () => {
    const result = await checkPackage(createPackageFromTarballData(new Uint8Array(bytes)))
    if (!result.types) throw new Error('it has no types')
    // It is ESM alone, by decision: who cannot read `exports`, or loads CommonJS, is told so.
    const problems = result.problems.filter(
      problem =>
        problem.kind !== 'CJSResolvesToESM' &&
        !('resolutionKind' in problem && problem.resolutionKind === 'node10'),
    )
    expect(problems).toEqual([])
  })

  it('holds what is run, what source maps point to, and nothing else', () => {
    const files = filesOf(published)
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'dist/index.js']))
    const odd = files.filter(
      file =>
        !/^(LICENSE|README\.md|package\.json)$/.test(file) &&
        !/^dist\/.*\.(js|d\.ts)(\.map)?$/.test(file) &&
        !/^src\/.*\.ts$/.test(file) &&
        !(published.short === 'cli' && /^bin\/(kubectl-)?carillon\.js$/.test(file)) &&
        !(published.short === 'web' && file.startsWith('dist/bundle/')) &&
        !(published.short === 'sockets' && /^(native\/.*\.(cc|h)|scripts\/build-native\.mjs)$/.test(file)) &&
        !(published.short === 'sockets' && /^prebuilds\/linux-[a-z0-9]+\/sockets\.glibc\.node$/.test(file)),
    )
    expect(odd).toEqual([])
    expect(files.filter(file => /\.test\.|fixtures|(^|\/)support\//.test(file))).toEqual([])
    const sources = new Set(files.filter(file => file.startsWith('src/')))
    const maps = files.filter(file => file.endsWith('.js.map'))
    const missing = maps.filter(
      map => !sources.has(map.replace(/^dist\//, 'src/').replace(/\.js\.map$/, '.ts')),
    )
    expect(missing).toEqual([])
  })

  it('names no dependency that only this repository knows', () => {
    const text = execFileSync('tar', ['-xzOf', published.tarball, 'package/package.json'], {
      encoding: 'utf8',
    })
    const { dependencies, devDependencies = {} } = JSON.parse(text) as {
      readonly dependencies: Readonly<Record<string, string>>
      readonly devDependencies?: Readonly<Record<string, string>>
    }
    for (const range of Object.values({ ...dependencies, ...devDependencies }))
      expect(range).toMatch(/^\^?\d+\.\d+\.\d+$/)
  })
})

it('the prebuilt addon asks for no C library that Node itself would not run on, and for no other library', () => {
  const sockets = packages.find(({ short }) => short === 'sockets')
  if (!sockets) throw new Error('there is no package sockets')
  const prebuilt = filesOf(sockets).filter(file => file.endsWith('.node'))
  expect(prebuilt).toContain(`prebuilds/linux-${process.arch}/sockets.glibc.node`)
  for (const file of prebuilt) {
    const addon = execFileSync('tar', ['-xzOf', sockets.tarball, `package/${file}`], { encoding: 'latin1' })
    const versions = [...addon.matchAll(/GLIBC_(\d+)\.(\d+)/g)].map(([, major, minor]) => [
      major,
      Number(minor),
    ])
    expect(versions.length).toBeGreaterThan(0)
    for (const [major, minor] of versions) expect([major, Math.max(28, Number(minor))]).toEqual(['2', 28])
    expect([...addon.matchAll(/\blib[a-z+]+\.so\.\d+/g)].map(([name]) => name)).toEqual(['libc.so.6'])
  }
})
