// Writes what follows from the schemas of the resources: CRDs, types, the shapes that objects are read by, and their reference;
// what Helm's chart holds of them and of other manifests, and the table of its values; the fields of Kubernetes' own kinds, for the
// API server for tests; and the page of the benchmarks, from the results that were kept.
// With --check it writes nothing, names what is stale and exits 1.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { benchmarksPage } from './lib/benchmarks-page.mjs'
import { chartAlerts, chartReadme, copiedAlerts } from './lib/chart.mjs'
import { crd } from './lib/crd.mjs'
import { kubernetesModels } from './lib/kubernetes-models.mjs'
import { reference } from './lib/reference.mjs'
import { loadSchemas } from './lib/schemas.mjs'
import { structuresModule } from './lib/structures.mjs'
import { typesModule } from './lib/types.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const check = process.argv.includes('--check')
const schemas = await loadSchemas()

const definitions = schemas.kinds.map(kind => [`${kind.group}_${kind.plural}.yaml`, crd(kind)])
const folders = ['deploy/crds', 'deploy/helm/carillon/files/crds']
const files = new Map([
  ...folders.flatMap(folder => definitions.map(([name, text]) => [`${folder}/${name}`, text])),
  ['deploy/helm/carillon/files/alerts.yaml', chartAlerts()],
  ['deploy/helm/carillon/README.md', chartReadme()],
  ['deploy/kustomize/components/metrics-secure/prometheus-rule.yaml', copiedAlerts()],
  ['packages/core/src/resources/types.generated.ts', typesModule(schemas)],
  ['packages/core/src/resources/structures.generated.ts', structuresModule(schemas)],
  ['docs/reference/resources.md', reference(schemas)],
  ['packages/kubernetes/src/testing/schema/models.generated.ts', await kubernetesModels()],
  ...benchmarksPage(),
])

const left = folders
  .filter(folder => existsSync(join(root, folder)))
  .flatMap(folder => readdirSync(join(root, folder)).map(name => `${folder}/${name}`))
  .filter(name => /\/(metallb|carillon)\.io_[^/]*$/.test(name) && !files.has(name))
const stale = [...files].filter(([name, text]) => {
  const path = join(root, name)
  return !existsSync(path) || readFileSync(path, 'utf8') !== text
})

if (check) {
  for (const [name] of stale) process.stderr.write(`${name} is stale: run npm run generate\n`)
  for (const name of left) process.stderr.write(`${name} belongs to no kind: run npm run generate\n`)
  process.exitCode = stale.length + left.length > 0 ? 1 : 0
} else {
  for (const [name, text] of stale) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), text)
    process.stdout.write(`wrote ${name}\n`)
  }
  for (const name of left) {
    rmSync(join(root, name))
    process.stdout.write(`removed ${name}\n`)
  }
}
