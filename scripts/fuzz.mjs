// npm run fuzz -- [--seconds N] [--seed N] [--keep] [parser...]: changed inputs for every parser, a minute unless told otherwise. An input
// that fails becomes a file in test/fuzz/corpus; with --keep also those that came to something new.
import './lib/node-version.mjs'
import { parseArgs } from 'node:util'
import { build } from './lib/build.mjs'
import { at } from './lib/project.mjs'
import { main, run, Stop } from './lib/run.mjs'
import { setUp } from './lib/setup.mjs'

await main(async () => {
  const { values, positionals } = parsed({
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    keep: { type: 'boolean', default: false },
  })
  for (const option of ['seconds', 'seed'])
    if (!(Number(values[option]) >= 0))
      throw new Stop(`--${option} ${values[option]}: a number is needed.`, 2)
  await setUp(['build'])
  await build()
  const { code } = await run(process.execPath, [
    '--import',
    at('test/lab/support/typescript.mjs'),
    at('test/fuzz/fuzz.ts'),
    values.seconds,
    values.seed,
    values.keep ? 'keep' : '',
    ...positionals,
  ])
  return code
})

function parsed(options) {
  try {
    return parseArgs({ options, allowPositionals: true })
  } catch (error) {
    throw new Stop(error.message, 2)
  }
}
