/** What is drawn of each kind of failure: how long a client went without an answer, run by run, on a logarithmic axis of time. */

const width = 900
const left = 210
const right = 90
const line = 26
const head = 34
const foot = 44
const shortest = 10
const longest = 10_000

const escaped = text => text.replace(/[&<>"]/g, sign => `&#${sign.codePointAt(0)};`)

/** Milliseconds -> pixels. What is shorter than the axis begins lies on its start. */
function at(ms) {
  const share = Math.log(Math.min(Math.max(ms, shortest), longest) / shortest) / Math.log(longest / shortest)
  return (left + share * (width - left - right)).toFixed(1)
}

function middle(values) {
  const sorted = [...values].sort((a, b) => a - b)
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2
}

const words = ms => (ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms)} ms`)

/** The lines of one chart, ours first. */
const linesOf = (series, chart) =>
  series.filter(one => one.chart === chart).sort((a, b) => Number(b.ours) - Number(a.ours))

function axis(y) {
  const marks = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000]
  return marks
    .map(ms => `<text class="soft" x="${at(ms)}" y="${y + 16}" text-anchor="middle">${words(ms)}</text>`)
    .join('\n')
}

function row({ line: name, values, ours }, y) {
  const typical = middle(values)
  const kind = ours ? 'ours' : 'peer'
  return [
    `<text x="${left - 12}" y="${y + 4}" text-anchor="end">${escaped(name)}</text>`,
    `<rect class="${kind} wait" x="${left}" y="${y - 6}" width="${(at(typical) - left).toFixed(1)}" height="12" rx="2"/>`,
    ...values.map(ms => `<circle class="${kind}" cx="${at(ms)}" cy="${y}" r="2.4"/>`),
    `<text x="${width - right + 12}" y="${y + 4}">${words(typical)}</text>`,
  ].join('\n')
}

/**
 * An SVG of `series`: `{ chart, line, ours, values }`, milliseconds; those of one `chart` stand together. The bar ends at the median, each
 * dot is one run. It follows the reader's choice of light or dark.
 */
export function gapPlot(title, series) {
  const charts = [...new Set(series.map(({ chart }) => chart))]
  const parts = []
  let y = 58
  for (const chart of charts) {
    const rows = linesOf(series, chart)
    parts.push(`<text class="head" x="${left}" y="${y}">${escaped(chart)}</text>`)
    const top = y + 12
    for (const [index, one] of rows.entries()) parts.push(row(one, top + line * index + line / 2))
    const bottom = top + line * rows.length
    for (const ms of [10, 100, 1000, 10_000])
      parts.push(`<line class="grid" x1="${at(ms)}" x2="${at(ms)}" y1="${top}" y2="${bottom}"/>`)
    parts.push(axis(bottom))
    y = bottom + foot + head - 20
  }
  const height = y - head + 10
  const said = charts.map(chart => {
    const rows = linesOf(series, chart)
    return `${chart}: ${rows.map(({ line: name, values }) => `${name} ${words(middle(values))}`).join(', ')}.`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title desc">
<title id="title">${escaped(title)}</title>
<desc id="desc">Medians. ${escaped(said.join(' '))}</desc>
<style>
svg { --ink: #1d2530; --soft: #5b6675; --grid: #d5dbe3; --ours: #0b6bcb; --peer: #9a6700; --paper: #fff; font: 13px system-ui, sans-serif }
@media (prefers-color-scheme: dark) {
  svg { --ink: #e6ebf2; --soft: #9aa7b8; --grid: #333d4a; --ours: #5aa9ff; --peer: #d9a441; --paper: #11161d }
}
text { fill: var(--ink) } .soft { fill: var(--soft); font-size: 11px } .head { font-weight: 600 }
.name { font-size: 16px; font-weight: 600 } .grid { stroke: var(--grid) }
.ours { fill: var(--ours) } .peer { fill: var(--peer) } .wait { opacity: .28 }
</style>
<rect width="${width}" height="${height}" style="fill: var(--paper)"/>
<text class="name" x="${left}" y="26">${escaped(title)}</text>
${parts.join('\n')}
</svg>
`
}
