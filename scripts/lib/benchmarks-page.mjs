import { existsSync, readdirSync } from 'node:fs'
import { gapPlot } from './gap-plot.mjs'
import { at, readJson } from './project.mjs'

/** Where the measured figures are kept, a file a topic. */
export const resultsOf = topic => at('docs/benchmarks', `${topic}.json`)

const introduction = `# Benchmarks

<!-- Written by \`npm run bench -- --write\` from docs/benchmarks/*.json: do not edit. -->

Every figure here was measured by \`npm run bench -- --write <topic>\`, which builds the packages, runs \`bench/<topic>.ts\`, and beside it, in
the same run on the same machine, the peer that a row names. A ratio below 1 means that Carillon needs less. Measure on your own machine
before you rely on a figure: \`npm run bench -- <topic>\` prints the same table and writes nothing.
`

/** A figure as people read it: three digits that count. */
export function figure(value) {
  const short = Math.abs(value) >= 100 ? Math.round(value) : Number(value.toPrecision(3))
  return short.toLocaleString('en')
}

/** The cells of one result: what, value, unit, peer, ratio, note. */
export function cells({ name, value, unit, peer, note = '' }) {
  const beside = peer === undefined ? '' : `${peer.name} ${figure(peer.value)}`
  const ratio = peer === undefined || peer.value === 0 ? '' : `${figure(value / peer.value)}x`
  return [name, figure(value), unit, beside, ratio, note]
}

const escaped = text => text.replaceAll('|', '\\|')

function section({ topic, date, machine, versions, settings, results }) {
  const rows = results.map(result => `| ${cells(result).map(escaped).join(' | ')} |`)
  const chosen = Object.entries(settings).map(([name, value]) => `${name}=${value} `)
  return `## ${topic}

\`${chosen.join('')}npm run bench -- ${topic}\`, ${date}, ${machine}; ${versions.join(', ')}.

| what | value | unit | peer | ratio | note |
|---|---:|---|---|---:|---|
${rows.join('\n')}
`
}

/** docs/benchmarks.md and its drawings, from the kept results: path -> text. */
export function benchmarksPage() {
  const folder = at('docs/benchmarks')
  const names = existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('.json')) : []
  if (names.length === 0) return new Map()
  const topics = names.sort().map(name => readJson(at('docs/benchmarks', name)))
  const series = topics.flatMap(({ results }) => results.flatMap(({ series: one }) => (one ? [one] : [])))
  const drawn = series.length > 0
  const picture = drawn
    ? '\n![How long a client goes without an answer after each kind of failure](images/failover.svg)\n'
    : ''
  const page = [`${introduction}${picture}`, ...topics.map(section)].join('\n')
  const files = new Map([['docs/benchmarks.md', page]])
  if (drawn)
    files.set('docs/images/failover.svg', gapPlot('How long a client goes without an answer', series))
  return files
}
