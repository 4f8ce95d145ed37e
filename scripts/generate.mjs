// Writes what follows from the schemas of the resources: CRDs, types, the shapes that objects are read by, and their reference;
// and the fields of Kubernetes' own kinds, for the API server for tests. From the kept results of the benchmarks, their page.
// With --check it writes nothing, names what is stale and exits 1.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { benchmarksPage } from './lib/benchmarks-page.mjs'
import { crd } from './lib/crd.mjs'
import { kubernetesModels } from './lib/kubernetes-models.mjs'
import { reference } from './lib/reference.mjs'
import { loadSchemas } from './lib/schemas.mjs'
import { structuresModule } from './lib/structures.mjs'
import { typesModule } from './lib/types.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const check = process.argv.includes('--check')
const schemas = await loadSchemas()

const files = new Map([
  ...schemas.kinds.map(kind => [`deploy/crds/${kind.group}_${kind.plural}.yaml`, crd(kind)]),
  ['packages/core/src/resources/types.generated.ts', typesModule(schemas)],
  ['packages/core/src/resources/structures.generated.ts', structuresModule(schemas)],
  ['docs/reference/resources.md', reference(schemas)],
  ['packages/kubernetes/src/testing/schema/models.generated.ts', await kubernetesModels()],
  ...benchmarksPage(),
])

const crds = join(root, 'deploy/crds')
const left = existsSync(crds)
  ? readdirSync(crds)
      .filter(name => /^(metallb|carillon)\.io_/.test(name))
      .map(name => `deploy/crds/${name}`)
      .filter(name => !files.has(name))
  : []
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
