// Looks at everything that our users install beside our packages: its licences, and what is known of its weak points. A licence that is not
// permissive, or a weak point that is severe, ends it with 1; that the registry cannot be asked is said, and is no failure.
//
//   node scripts/check-dependencies.mjs
import { productionDependencies } from './lib/production.mjs'
import { manifest } from './lib/project.mjs'
import { main, run } from './lib/run.mjs'

/** Licences that ask for no more than to be named. */
const permissive = new Set([
  '0BSD',
  'Apache-2.0',
  'BlueOak-1.0.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'ISC',
  'MIT',
  'Python-2.0',
  'Unlicense',
])

const severe = new Set(['high', 'critical'])

await main(async () => {
  const dependencies = productionDependencies()
  const alternatives = license => String(license).replace(/[()]/g, '').split(' OR ')
  const odd = dependencies.filter(({ license }) => !alternatives(license).some(one => permissive.has(one)))
  for (const { name, version, license, by } of odd)
    console.error(`${name}@${version} (by way of ${by}) has the licence ${license}, which is not permissive`)
  const found = await weakPoints()
  for (const { severity, module_name: name, title, url } of found)
    console.error(`${severity}: ${name}: ${title} (${url})`)
  console.log(
    `${dependencies.length} packages of others, ${odd.length} with a licence that is not permissive`,
  )
  return odd.length > 0 || found.some(({ severity }) => severe.has(severity)) ? 1 : 0
})

/** What the registry knows of weak points. */
async function weakPoints() {
  const words = ['--yes', manifest.packageManager, 'audit', '--prod', '--json']
  const { output } = await run('npx', words, { capture: true, env: { npm_config_fetch_retries: '0' } })
  try {
    const { advisories, error } = JSON.parse(output.slice(output.indexOf('{')))
    if (advisories) return Object.values(advisories)
    console.log(`The registry could not be asked for known weak points: ${error?.message ?? output.trim()}`)
  } catch {
    console.log(`The registry could not be asked for known weak points: ${output.trim()}`)
  }
  return []
}
