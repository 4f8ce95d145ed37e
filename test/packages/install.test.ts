import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { nodes } from './support/nodes.ts'
import { type Published, packages, project, run } from './support/packed.ts'

interface Packing {
  install(what: {
    readonly project: string
    readonly tarballs: readonly string[]
    readonly node: string
  }): Promise<string>
}

const { install } = (await import(new URL('../../scripts/lib/pack.mjs', import.meta.url).href)) as Packing

/** Prints the number of exports of everything that can be imported, and the interfaces that the addon sees. */
const program = (names: readonly string[]): string => `
for (const name of ${JSON.stringify(names)}) console.log(name, Object.keys(await import(name)).length)
const { systemNetwork } = await import('@carillon/sockets')
const links = await systemNetwork().links()
console.log(links.current().some(link => link.loopback))
await links[Symbol.asyncDispose]()
`

const importable = ({ name, exports }: Published): readonly string[] =>
  exports.map(path => `${name}${path.slice(1)}`)

const everything = packages.flatMap(importable)

describe.each(nodes)('under Node $release, without a compiler', ({ release, path }) => {
  it('everything that the packages export can be imported, and the addon works', async () => {
    const { printed, code } = await run(
      await path(),
      ['--input-type=module', '--eval', program(everything)],
      { cwd: project },
    )
    expect(code, printed).toBe(0)
    const lines = printed.trim().split('\n')
    expect(lines.pop()).toBe('true')
    expect(lines.map(line => line.split(' ')[0])).toEqual(everything)
    for (const line of lines) expect(Number(line.split(' ')[1]), line).toBeGreaterThan(0)
  })

  if (release !== process.versions.node) {
    const folder = `${project}-${release}`
    afterAll(() => rmSync(folder, { recursive: true, force: true }))

    // The two that bring a hundred packages of others are installed once, under the Node that runs the tests.
    const light = packages.filter(({ short }) => !['cli', 'kubernetes'].includes(short))

    it('npm installs the packages into an empty project', async () => {
      await install({ project: folder, tarballs: light.map(one => one.tarball), node: await path() })
      const names = light.flatMap(importable)
      const { printed, code } = await run(await path(), ['--input-type=module', '--eval', program(names)], {
        cwd: folder,
      })
      expect(code, printed).toBe(0)
      expect(printed.trim().endsWith('true')).toBe(true)
    })
  }
})

it('brings few packages of others', () => {
  const lock = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly dependencies?: Readonly<Record<string, string>> }>>
  }
  const needs = (name: string, seen = new Set<string>()): Set<string> => {
    for (const one of Object.keys(lock.packages[`node_modules/${name}`]?.dependencies ?? {}))
      if (!seen.has(one)) needs(one, seen.add(one))
    return seen
  }
  const foreign = (name: string): readonly string[] =>
    [...needs(name)].filter(one => !one.startsWith('@carillon/')).sort()
  expect(foreign('@carillon/core')).toEqual(['chokidar', 'eventemitter3', 'readdirp', 'yaml'])
  for (const name of ['gossip', 'arp', 'bgp'])
    expect(foreign(`@carillon/${name}`)).toEqual(foreign('@carillon/core'))
  expect(foreign('@carillon/sockets')).toEqual([...foreign('@carillon/core'), 'node-api-headers'].sort())
})
