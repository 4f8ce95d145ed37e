// Writes what somebody who installs every package gets, as a bill of materials in CycloneDX.
//
//   node scripts/bill-of-materials.mjs FILE
import './lib/node-version.mjs'
import { writeFileSync } from 'node:fs'
import { packAndInstall } from './lib/pack.mjs'
import { main, run, Stop } from './lib/run.mjs'

await main(async () => {
  const [file] = process.argv.slice(2)
  if (file === undefined) throw new Stop('Say where to write: node scripts/bill-of-materials.mjs FILE', 2)
  const { project } = await packAndInstall()
  const words = ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev']
  const { code, output } = await run('npm', words, { cwd: project, capture: true })
  if (code !== 0) throw new Stop(`npm sbom failed.\n${output}`)
  const { components } = JSON.parse(output)
  writeFileSync(file, output)
  console.log(`${file}: ${components.length} components`)
})
