import { chmodSync, existsSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { at, cache } from './project.mjs'
import { run, Stop } from './run.mjs'

/** Compiles every package, test and benchmark (which checks their types), then the page and the native addon; only what has changed. */
export async function build({ capture = false } = {}) {
  await step('The TypeScript sources do not compile.', [at('node_modules/typescript/bin/tsc'), '-b'], capture)
  // The compiled benchmarks lie below node_modules, where Node looks for no package.json above them.
  mkdirSync(cache('bench'), { recursive: true })
  writeFileSync(cache('bench', 'package.json'), '{ "type": "module" }\n')
  const page = at('packages/web/scripts/build-page.mjs')
  if (existsSync(page)) await step('The page does not build.', [page], capture)
  const native = at('packages/sockets/scripts/build-native.mjs')
  if (existsSync(native)) await step('The native addon does not build.', [native], capture)
  linkProgram()
}

async function step(failure, args, capture) {
  const { code, output } = await run(process.execPath, args, { capture })
  if (code !== 0) throw new Stop(`${output}${failure}`)
}

/** `node_modules/.bin/carillon`; pnpm makes it too, but only where the program existed when it installed. */
function linkProgram() {
  const program = at('packages/cli/bin/carillon.js')
  const link = at('node_modules/.bin/carillon')
  if (!existsSync(program)) return
  chmodSync(program, 0o755)
  if (lstatSync(link, { throwIfNoEntry: false }) === undefined)
    symlinkSync('../../packages/cli/bin/carillon.js', link)
}
