// npm test [-- pattern]: set-up, the cheap checks (the first that fails ends the run), then every test, labs beside all others.
import './lib/node-version.mjs'
import { existsSync } from 'node:fs'
import { build } from './lib/build.mjs'
import { nodeBinary, otherReleases } from './lib/node-binaries.mjs'
import { at } from './lib/project.mjs'
import { main, run, Stop } from './lib/run.mjs'
import { setUp } from './lib/setup.mjs'
import { vitest } from './lib/vitest.mjs'

const patterns = process.argv.slice(2)
const skippedIsFailed = process.env.CARILLON_TEST_ALL === '1'
const total = { passed: 0, failed: [], skipped: [] }

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
    await Promise.all([
      stage('labs and packages', () =>
        test(process.execPath, ['--project', 'lab', '--project', 'packages', ...patterns]),
      ),
      computed(),
    ])
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
    await body()
  } catch (error) {
    console.log(`== ${name}: failed after ${took()}`)
    throw error
  }
  console.log(`== ${name}: ${took()}`)
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

async function test(node, args, { where = '', quiet } = {}) {
  const { passed, failed, skipped } = await vitest(node, args, { quiet })
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
