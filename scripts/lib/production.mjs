import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { published } from './pack.mjs'
import { readJson } from './project.mjs'

/** What is not installed, but part of a file that is. */
const bundled = { '@carillon/web': ['preact'] }

/** Where `name` is found from a folder, as Node finds it. */
function find(folder, name) {
  for (let at = folder; ; at = dirname(at)) {
    const candidate = join(at, 'node_modules', name)
    if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate)
    if (at === dirname(at)) return undefined
  }
}

/**
 * Everything that our users install besides our own packages: `{ name, version, license, folder, by }`, where `by` says by way of what. What
 * is bundled into a package, and so installed with it, is among it.
 */
export function productionDependencies() {
  const ours = published()
  const known = new Map()
  const visit = (folder, by) => {
    const {
      name,
      version,
      license,
      licenses,
      dependencies = {},
      optionalDependencies = {},
    } = readJson(join(folder, 'package.json'))
    const own = ours.some(one => one.name === name)
    const key = `${name}@${version}`
    if (known.has(key)) return
    known.set(key, { name, version, license: license ?? licenses?.[0]?.type, folder, by, own })
    for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const found = find(folder, dependency)
      if (found !== undefined) visit(found, by === '' ? name : `${by} > ${name}`)
      else if (dependency in dependencies && !(dependency in optionalDependencies))
        throw new Error(`${key} needs ${dependency}, which is not installed`)
    }
  }
  for (const { folder } of ours) visit(realpathSync(folder), '')
  for (const { folder, name } of ours)
    for (const part of bundled[name] ?? []) visit(find(folder, part), `${name} (bundled)`)
  return [...known.values()].filter(one => !one.own).sort((a, b) => (a.name < b.name ? -1 : 1))
}
