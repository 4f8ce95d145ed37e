// npm run bench [-- [--write] topic...]: runs bench/<topic>.ts, each in a process of its own, against the compiled packages.
// With --write the figures are kept in docs/benchmarks, and docs/benchmarks.md and its drawings are written from them.
import './lib/node-version.mjs'
import { fork } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { arch, availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { dirname } from 'node:path'
import { benchmarksPage, cells, resultsOf } from './lib/benchmarks-page.mjs'
import { build } from './lib/build.mjs'
import { debianVersion } from './lib/debian-version.mjs'
import { at, cache, readJson } from './lib/project.mjs'
import { main, Stop } from './lib/run.mjs'
import { setUp } from './lib/setup.mjs'
import { table } from './lib/table.mjs'

await main(async () => {
  const all = readdirSync(at('bench'))
    .filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map(name => name.slice(0, -'.ts'.length))
    .sort()
  const write = process.argv.includes('--write')
  const asked = process.argv.slice(2).filter(word => word !== '--write')
  const topics = asked.length === 0 ? all : all.filter(topic => asked.some(part => topic.includes(part)))
  if (topics.length === 0) throw new Stop(`No such benchmark; there are: ${all.join(', ')}.`, 2)
  await setUp(['build', 'bench'])
  await build()

  const { version } = readJson(at('packages/core/package.json'))
  const versions = [`carillon ${version}`, `Node ${process.versions.node}`]
  const memory = (totalmem() / 2 ** 30).toFixed(0)
  const machine = `${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, ${memory} GiB, ${type()} ${release()} ${arch()}`
  console.log(`${versions.join(', ')}\n${machine}`)

  let failed = 0
  for (const topic of topics) {
    console.log(`\n${topic}`)
    const { results, peers } = (await runTopic(topic)) ?? {}
    if (results === undefined) {
      failed++
      continue
    }
    console.log(table(['what', 'value', 'unit', 'peer', 'ratio', 'note'], results.map(cells), [1, 4]))
    if (write)
      keep({
        topic,
        date: new Date().toISOString().slice(0, 10),
        machine,
        versions: [...versions, ...peers.map(name => `${name} ${debianVersion(name)}`)],
        settings: settings(),
        results,
      })
  }
  if (write) for (const [name, text] of benchmarksPage()) save(at(name), text)
  return failed > 0 ? 1 : 0
})

/** What was chosen by the environment, so that a reader can choose the same. */
function settings() {
  const chosen = Object.entries(process.env).filter(([name]) => name.startsWith('CARILLON_BENCH_'))
  return Object.fromEntries(chosen.sort())
}

function keep(measured) {
  save(resultsOf(measured.topic), `${JSON.stringify(measured, undefined, 2)}\n`)
}

function save(path, text) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

/** The results of one topic; nothing where it failed (its process has said why). */
function runTopic(topic) {
  return new Promise(resolve => {
    const child = fork(at('scripts/lib/bench-child.mjs'), [cache('bench', `${topic}.js`)], {
      execArgv: ['--expose-gc', '--enable-source-maps'],
    })
    let results
    child.on('message', message => {
      results = message
    })
    child.on('close', code => resolve(code === 0 ? results : undefined))
  })
}
