import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { cache } from './project.mjs'
import { run } from './run.mjs'

/** One release of each Node line that `engines` promises. */
const releases = ['20.20.2', '22.23.3', '24.21.0']

const major = version => version.split('.')[0]

/** The releases to test besides the Node that runs this script. */
export const otherReleases = releases.filter(release => major(release) !== major(process.versions.node))

/**
 * The path of that release's `node`, fetched from the npm registry the first time. Fails with `{ reason }` where it cannot
 * be had. The platform's package is named directly: the package `node` fetches it with an install script.
 */
export async function nodeBinary(release) {
  const name = `node-${process.platform}-${process.arch}`
  const folder = cache(`node-${release}`)
  const path = `${folder}/node_modules/${name}/bin/node`
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(`${folder}/package.json`, '{ "private": true }\n')
    const args = [
      'install',
      '--no-save',
      '--ignore-scripts',
      '--prefer-offline',
      '--no-audit',
      '--no-fund',
      `${name}@${release}`,
    ]
    const { code, output } = await run('npm', args, { cwd: folder, capture: true })
    if (code !== 0)
      return { reason: `npm could not fetch ${name}@${release}: ${output.trim().split('\n').at(-1)}` }
  }
  return { path }
}
