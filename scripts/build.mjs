// npm run build: set-up, then everything that a build makes.
import './lib/node-version.mjs'
import { build } from './lib/build.mjs'
import { main } from './lib/run.mjs'
import { setUp } from './lib/setup.mjs'

await main(async () => {
  await setUp(['build'])
  await build()
})
