import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { at, manifest } from './project.mjs'
import { run, Stop } from './run.mjs'
import { provideSystemPackages } from './system-packages.mjs'

const stamp = at('node_modules', '.carillon-setup')

/** Everything that decides what an install brings; the Node major, because of binaries that depend on it. */
function wantedStamp() {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`)
  const packages = readdirSync(at('packages')).map(name => at('packages', name, 'package.json'))
  for (const file of [
    at('package.json'),
    at('pnpm-lock.yaml'),
    at('pnpm-workspace.yaml'),
    ...packages.sort(),
  ])
    if (existsSync(file)) hash.update(file.slice(at().length)).update(readFileSync(file))
  return hash.digest('hex')
}

const readStamp = () => (existsSync(stamp) ? readFileSync(stamp, 'utf8') : undefined)

/** Installs the dependencies of the lockfile with the pinned pnpm, unless they are there already. */
async function installDependencies() {
  const wanted = wantedStamp()
  if (readStamp() === wanted && existsSync(at('node_modules', '.modules.yaml'))) return
  console.log(`Installing dependencies with ${manifest.packageManager}`)
  const args = ['--yes', manifest.packageManager, 'install', '--frozen-lockfile', '--prefer-offline']
  const { code } = await run('npx', args, { env: { CI: 'true' } }) // CI: pnpm asks nothing
  if (code !== 0)
    throw new Stop(`The dependencies could not be installed (npx ${args.join(' ')} ended with ${code}).`)
  writeFileSync(stamp, wanted)
}

/**
 * Makes a fresh clone ready to build and run. `purposes` says for what system packages are needed; what stays missing is
 * returned, and only a missing build tool or `fatal` purpose ends the script.
 */
export async function setUp(purposes, { fatal = [] } = {}) {
  const missing = await provideSystemPackages(purposes)
  const fatally = missing.filter(program => program.for.some(purpose => fatal.includes(purpose)))
  if (fatally.length > 0)
    throw new Stop(`Cannot go on without ${fatally.map(program => program.command).join(', ')}.`)
  await installDependencies()
  return missing
}
