// Runs one compiled benchmark and sends its results to scripts/bench.mjs.
import { pathToFileURL } from 'node:url'

const { run, peers = [] } = await import(pathToFileURL(process.argv[2]).href)
process.send({ results: await run(), peers }, () => process.exit(0))
