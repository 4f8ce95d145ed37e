// npm test [-- pattern]: set-up, the cheap checks (the first that fails ends the run), then every test, labs beside all others.
import './lib/node-version.mjs'
import { existsSync } from 'node:fs'
import { build } from './lib/build.mjs'
import { nodeBinary, otherReleases } from './lib/node-binaries.mjs'
import { at } from './lib/project.mjs'
import { main, run, Stop } from './lib/run.mjs'
import { setUp } from './lib/setup.mjs'
import { summed, vitest } from './lib/vitest.mjs'

const patterns = process.argv.slice(2)
const skippedIsFailed = process.env.CARILLON_TEST_ALL === '1'
const total = { passed: 0, failed: [], skipped: [] }
/** More lab files than so many do not fail by chance, and are not run again. */
const REPEATED_FILES = 5

await main(async () => {
  try {
    await stage('set-up', () => setUp(['build', 'test']))
    await stage('lint', () =>
      check([
        at('node_modules/@biomejs/biome/bin/biome'),
        'ci',
        '.',
        `--colors=${process.stdout.isTTY ? 'force' : 'off'}`,
      ]),
    )
    await stage('types and build', () => build({ capture: true }))
    await stage('import directions', () => check([at('scripts/check-imports.mjs')]))
    await stage('dependencies', () => check([at('scripts/check-dependencies.mjs')], { show: true }))
    const generate = at('scripts/generate.mjs')
    if (existsSync(generate)) await stage('generated files', () => check([generate, '--check']))
    // Labs wait for real time most of the while; what computes fills the gaps and gives way to them.
    const [disturbed] = await Promise.all([stage('labs and packages', labs), computed()])
    if (disturbed.length > 0) await stage('labs once more', () => repeat(disturbed))
  } catch (error) {
    if (!(error instanceof Stop)) throw error
    console.error(error.message)
    total.failed.push({ name: 'npm test', reason: error.message.split('\n')[0] })
  }
  if (skippedIsFailed)
    for (const { name, reason } of total.skipped)
      console.error(`CARILLON_TEST_ALL=1 forbids to skip: ${name}: ${reason}`)
  for (const { name, reason } of total.failed) console.error(`Failed: ${name}: ${reason}`)
  console.log(`${total.passed} passed, ${total.failed.length} failed, ${total.skipped.length} skipped`)
  return total.failed.length > 0 || (skippedIsFailed && total.skipped.length > 0) ? 1 : 0
})

async function stage(name, body) {
  const from = performance.now()
  const took = () => `${((performance.now() - from) / 1000).toFixed(1)} s`
  try {
    const result = await body()
    console.log(`== ${name}: ${took()}`)
    return result
  } catch (error) {
    console.log(`== ${name}: failed after ${took()}`)
    throw error
  }
}

async function check(args, { show = false } = {}) {
  const { code, output } = await run(process.execPath, args, { capture: true })
  if (code !== 0) throw new Stop(output.trimEnd())
  if (show) process.stdout.write(output)
}

/** Every test that needs neither real time nor a network of hosts: all of them under this Node, units under the other releases too. */
async function computed() {
  const quiet = { quiet: true }
  await stage(`tests, Node ${process.versions.node}`, () =>
    test(
      process.execPath,
      ['unit', 'cluster', 'repository'].flatMap(name => ['--project', name]).concat(patterns),
      quiet,
    ),
  )
  for (const release of otherReleases)
    await stage(`unit tests, Node ${release}`, () => testUnder(release, quiet))
}

/** Everything in real time, and what is published. Resolves to the files that are worth another try, and does not count them. */
async function labs() {
  const tally = await vitest(process.execPath, ['--project', 'lab', '--project', 'packages', ...patterns])
  const bad = tally.files.filter(({ project, failed }) => project === 'lab' && failed.length > 0)
  const again = bad.length <= REPEATED_FILES ? bad : []
  count({ ...tally, files: tally.files.filter(file => !again.includes(file)) })
  return again
}

/**
 * Other work on a machine seldom disturbs a lab twice. A file tells one story, and is told again from its beginning,
 * with nothing beside it.
 */
async function repeat(disturbed) {
  for (const { name, reason } of disturbed.flatMap(({ failed }) => failed))
    console.log(`Once more, as it failed: ${name}: ${reason}`)
  await test(process.execPath, ['--project', 'lab', ...disturbed.map(({ file }) => file)])
}

async function test(node, args, { where = '', quiet } = {}) {
  count(await vitest(node, args, { quiet }), where)
}

function count(tally, where = '') {
  const { passed, failed, skipped } = summed(tally)
  total.passed += passed
  total.failed.push(...failed.map(one => ({ ...one, name: `${one.name}${where}` })))
  total.skipped.push(...skipped)
}

async function testUnder(release, { quiet }) {
  const { path, reason } = await nodeBinary(release)
  if (path !== undefined)
    return test(path, ['--project', 'unit', ...patterns], { where: ` (Node ${release})`, quiet })
  console.log(`Unit tests under Node ${release} are skipped: ${reason}`)
  total.skipped.push({ name: `unit tests under Node ${release}`, reason })
}
