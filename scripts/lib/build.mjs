import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { at, cache } from './project.mjs'
import { run, Stop } from './run.mjs'

/** Compiles every package, test and benchmark (which checks their types), then the page and the native addon; only what has changed. */
export async function build({ capture = false } = {}) {
  await step('The TypeScript sources do not compile.', [at('node_modules/typescript/bin/tsc'), '-b'], capture)
  for (const name of readdirSync(at('packages'))) removeOrphans(at('packages', name))
  // The compiled benchmarks lie below node_modules, where Node looks for no package.json above them.
  mkdirSync(cache('bench'), { recursive: true })
  writeFileSync(cache('bench', 'package.json'), '{ "type": "module" }\n')
  const page = at('packages/web/scripts/build-page.mjs')
  if (existsSync(page)) await step('The page does not build.', [page], capture)
  const native = at('packages/sockets/scripts/build-native.mjs')
  if (existsSync(native)) await step('The native addon does not build.', [native], capture)
  linkPrograms()
}

/** Removes what the compiler made from sources that are gone, which it leaves, and a package would carry along. */
function removeOrphans(folder) {
  const made = join(folder, 'dist')
  if (!existsSync(made)) return
  for (const name of readdirSync(made, { recursive: true }).filter(file => file.endsWith('.d.ts'))) {
    const stem = name.slice(0, -'.d.ts'.length)
    if (['.ts', '.tsx'].some(ending => existsSync(join(folder, 'src', `${stem}${ending}`)))) continue
    for (const ending of ['.d.ts', '.d.ts.map', '.js', '.js.map'])
      rmSync(join(made, `${stem}${ending}`), { force: true })
  }
}

async function step(failure, args, capture) {
  const { code, output } = await run(process.execPath, args, { capture })
  if (code !== 0) throw new Stop(`${output}${failure}`)
}

/** Our programs in `node_modules/.bin`; pnpm makes them too, but only where they existed when it installed. */
function linkPrograms() {
  for (const name of ['carillon', 'kubectl-carillon']) {
    const program = at(`packages/cli/bin/${name}.js`)
    const link = at(`node_modules/.bin/${name}`)
    if (!existsSync(program)) continue
    chmodSync(program, 0o755)
    if (lstatSync(link, { throwIfNoEntry: false }) === undefined)
      symlinkSync(`../../packages/cli/bin/${name}.js`, link)
  }
}
