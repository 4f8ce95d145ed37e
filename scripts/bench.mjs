// npm run bench [-- topic...]: runs bench/<topic>.ts, each in a process of its own, against the compiled packages.
import './lib/node-version.mjs'
import { fork } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { arch, availableParallelism, cpus, release, totalmem, type } from 'node:os'
import { build } from './lib/build.mjs'
import { at, cache, readJson } from './lib/project.mjs'
import { main, Stop } from './lib/run.mjs'
import { setUp } from './lib/setup.mjs'
import { table } from './lib/table.mjs'

await main(async () => {
  const all = readdirSync(at('bench'))
    .filter(name => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map(name => name.slice(0, -'.ts'.length))
    .sort()
  const asked = process.argv.slice(2)
  const topics = asked.length === 0 ? all : all.filter(topic => asked.some(part => topic.includes(part)))
  if (topics.length === 0) throw new Stop(`No such benchmark; there are: ${all.join(', ')}.`, 2)
  await setUp(['build', 'bench'])
  await build()

  const { version } = readJson(at('packages/core/package.json'))
  console.log(`carillon ${version}, Node ${process.versions.node}, ${type()} ${release()} ${arch()}`)
  const memory = (totalmem() / 2 ** 30).toFixed(0)
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${availableParallelism()} cores, ${memory} GiB`)

  let failed = 0
  for (const topic of topics) {
    console.log(`\n${topic}`)
    const results = await runTopic(topic)
    if (results === undefined) failed++
    else console.log(table(['what', 'value', 'unit', 'peer', 'ratio', 'note'], results.map(row), [1, 4]))
  }
  return failed > 0 ? 1 : 0
})

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

function figure(value) {
  const short = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3))
  return short.toLocaleString('en')
}

function row({ name, value, unit, peer, note = '' }) {
  const beside = peer === undefined ? '' : `${peer.name} ${figure(peer.value)}`
  const ratio = peer === undefined || peer.value === 0 ? '' : `${figure(value / peer.value)}x`
  return [name, figure(value), unit, beside, ratio, note]
}
