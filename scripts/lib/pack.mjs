import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { at, cache, manifest, readJson } from './project.mjs'
import { run, Stop } from './run.mjs'

/** The packages that are published: `{ folder, name, version }`. */
export const published = () =>
  readdirSync(at('packages'))
    .sort()
    .map(name => ({ folder: at('packages', name), ...readJson(at('packages', name, 'package.json')) }))
    .filter(json => !json.private)

const packed = (...parts) => cache('packed', ...parts)

/** What tarballs are called. */
const tarballOf = ({ name, version }) => packed(`${name.replace('@', '').replace('/', '-')}-${version}.tgz`)

/** Everything that goes into a tarball, and what makes it; prose aside. */
function digest() {
  const hash = createHash('sha256').update(`${manifest.packageManager} ${process.version}`)
  const add = path => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const file = join(path, entry.name)
      if (entry.isDirectory()) add(file)
      else if (!/\.test\.ts$|\.tsbuildinfo$/.test(entry.name)) hash.update(file).update(readFileSync(file))
    }
  }
  for (const { folder } of published()) {
    hash.update(readFileSync(join(folder, 'package.json')))
    for (const part of ['bin', 'dist', 'native', 'scripts'])
      if (existsSync(join(folder, part))) add(join(folder, part))
  }
  return hash.digest('hex')
}

/**
 * Packs every package with pnpm, as it is built, and installs all of them with npm into one empty project; nothing is done again
 * for the same contents. Gives `{ tarballs, project, fresh }`.
 */
export async function packAndInstall() {
  const [stamp, project] = [packed('stamp'), packed('project')]
  const packages = published()
  const tarballs = Object.fromEntries(packages.map(one => [one.name, tarballOf(one)]))
  const wanted = digest()
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return { tarballs, project, fresh: false }
  rmSync(packed(), { recursive: true, force: true })
  mkdirSync(packed(), { recursive: true })
  const words = ['--yes', manifest.packageManager, '--recursive', '--filter', './packages/*', 'pack']
  const options = { cwd: at(), capture: true, env: { CI: 'true' } }
  const { code, output } = await run('npx', [...words, '--pack-destination', packed()], options)
  if (code !== 0) throw new Stop(`The packages could not be packed.\n${output}`)
  await install({ project, tarballs: Object.values(tarballs), node: process.execPath })
  writeFileSync(stamp, wanted)
  return { tarballs, project, fresh: true }
}

/**
 * Makes an empty project and installs tarballs into it with npm under that `node`, as a user would, where there is no compiler: PATH has
 * nothing but node and a shell.
 */
export async function install({ project, tarballs, node }) {
  const path = join(project, 'path')
  rmSync(project, { recursive: true, force: true })
  mkdirSync(path, { recursive: true })
  symlinkSync(node, join(path, 'node'))
  symlinkSync('/bin/sh', join(path, 'sh'))
  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }\n')
  const words = [
    'install',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--foreground-scripts',
    ...tarballs,
  ]
  const { code, output } = await run(node, [await npm(), ...words], {
    cwd: project,
    capture: true,
    env: { PATH: path },
  })
  if (code !== 0) throw new Stop(`npm could not install the packages.\n${output}`)
  return output
}

let found

/** The program file of npm, to be run by whichever Node. */
async function npm() {
  found ??= await run('npm', ['prefix', '--global'], { capture: true })
  const file = join(found.output.trim(), 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js')
  if (!existsSync(file)) throw new Stop(`npm is not where it says it is: ${file}`)
  return file
}
