// npm start: set-up, build, then the demonstration. Arguments go to `carillon lab`.
import './lib/node-version.mjs'
import { build } from './lib/build.mjs'
import { at } from './lib/project.mjs'
import { main, run } from './lib/run.mjs'
import { setUp } from './lib/setup.mjs'

await main(async () => {
  await setUp(['build', 'start'], { fatal: ['start'] })
  await build()
  const { code } = await run(process.execPath, [
    at('packages/cli/bin/carillon.js'),
    'lab',
    ...process.argv.slice(2),
  ])
  return code
})
