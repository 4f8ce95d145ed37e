import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import ts from 'typescript'

const core = fileURLToPath(new URL('../../packages/core/', import.meta.url))
const cache = join(core, 'node_modules/.cache/schemas')

/**
 * Loads `packages/core/src/resources/schema`. The few files are transpiled on their own: what is generated from them is part
 * of the build, so it cannot wait for one.
 */
export async function loadSchemas() {
  const resources = join(core, 'src/resources')
  const files = [
    ...readdirSync(join(resources, 'schema')).map(name => `schema/${name}`),
    'checks.ts',
    'duration.ts',
  ].filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts'))
  rmSync(cache, { recursive: true, force: true })
  for (const name of files) {
    const { outputText } = ts.transpileModule(readFileSync(join(resources, name), 'utf8'), {
      fileName: join(resources, name),
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        rewriteRelativeImportExtensions: true,
        verbatimModuleSyntax: true,
      },
    })
    const target = join(cache, name.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, outputText)
  }
  writeFileSync(join(cache, 'package.json'), '{ "type": "module" }\n')
  const load = name => import(pathToFileURL(join(cache, name)).href)
  const [{ kinds }, { openApi }, { labelSelector, labelSelectorRequirement }, { checks }] = await Promise.all(
    [load('schema/kinds.js'), load('schema/openapi.js'), load('schema/label-selector.js'), load('checks.js')],
  )
  return {
    checks,
    named: {
      LabelSelector: openApi(labelSelector),
      LabelSelectorRequirement: openApi(labelSelectorRequirement),
    },
    kinds: kinds.map(kind => ({
      ...kind,
      versions: kind.versions.map(version => ({
        ...version,
        spec: version.spec && openApi(version.spec),
        status: version.status && openApi(version.status),
      })),
    })),
  }
}
