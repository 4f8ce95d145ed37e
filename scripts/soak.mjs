// npm run soak -- [--seed N] [--minutes M] [--source files|kubernetes]: random faults against five nodes in network namespaces; an hour with each
// source unless told otherwise.
import './lib/node-version.mjs'
import { parseArgs } from 'node:util'
import { build } from './lib/build.mjs'
import { main, Stop } from './lib/run.mjs'
import { setUp } from './lib/setup.mjs'
import { summed, vitest } from './lib/vitest.mjs'

await main(async () => {
  const values = parsed({
    seed: { type: 'string' },
    minutes: { type: 'string' },
    source: { type: 'string' },
  })
  const number = (option, text, least) => {
    const value = Number(text)
    if (text === '' || !Number.isFinite(value) || value < least)
      throw new Stop(`--${option} ${text}: a number of at least ${least} is needed.`, 2)
    return value
  }
  const minutes = number('minutes', values.minutes ?? process.env.CARILLON_SOAK_MINUTES ?? '60', 0.1)
  process.env.CARILLON_SOAK_SECONDS = String(Math.round(minutes * 60))
  if (values.seed !== undefined)
    process.env.CARILLON_SOAK_SEED = String(Math.floor(number('seed', values.seed, 0)))
  const { source = 'files,kubernetes' } = values
  if (!['files', 'kubernetes', 'files,kubernetes'].includes(source))
    throw new Stop(`--source ${source}: give files or kubernetes; without it there is a run of each.`, 2)
  process.env.CARILLON_SOAK_SOURCE = source
  await setUp(['build', 'test'])
  await build()
  const { failed, skipped } = summed(await vitest(process.execPath, ['--project', 'lab', 'test/soak/']))
  for (const { name, reason } of skipped) console.error(`Not run: ${name}: ${reason}`)
  return failed.length + skipped.length > 0 ? 1 : 0
})

function parsed(options) {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    throw new Stop(error.message, 2)
  }
}
