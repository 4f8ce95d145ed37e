/// <reference lib="dom" />
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type CDPSession, chromium, type Page } from 'playwright-core'
import type { BenchResult } from './support/result.ts'
import { quantile } from './support/statistics.ts'

const bin = fileURLToPath(import.meta.resolve('@carillon/cli').replace(/dist\/index\.js$/, 'bin/carillon.js'))
const browserPath = '/usr/bin/chromium'
const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run']
const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync']

/** Ten thousand Services on a hundred nodes. */
const manifests = {
  apiVersion: 'v1',
  kind: 'List',
  items: [
    {
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      metadata: { name: 'lan' },
      spec: { addresses: ['10.64.0.0/16'] },
    },
    { apiVersion: 'metallb.io/v1beta1', kind: 'L2Advertisement', metadata: { name: 'all' } },
    ...Array.from({ length: 100 }, (_, i) => ({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: `node-${i}` },
    })),
    ...Array.from({ length: 10_000 }, (_, i) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name: `app-${i}`,
        annotations: { 'metallb.io/loadBalancerIPs': `10.64.${Math.floor(i / 250)}.${i % 250}` },
      },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
    })),
  ],
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function startSpeaker(folder: string): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  await writeFile(join(folder, 'all.json'), JSON.stringify(manifests))
  const url = `127.0.0.1:${await freePort()}`
  const place = [
    '--http',
    url,
    '--gossip-bind',
    `127.0.0.1:${await freePort()}`,
    '--exclude-interfaces',
    '.*',
  ]
  const words = [bin, 'run', '--node', 'node-0', '--manifests', folder, ...place]
  const child = spawn(process.execPath, words, { stdio: 'ignore' })
  for (let attempt = 0; attempt < 600; attempt++) {
    const answer = await fetch(`http://${url}/readyz`).catch(() => undefined)
    if (answer?.ok) return { child, url: `http://${url}/` }
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  child.kill('SIGKILL')
  throw new Error('the speaker is not ready after a minute')
}

/** Processor time that the page has taken so far, in milliseconds: script, style, layout and painting. */
async function busyMs(session: CDPSession): Promise<number> {
  const { metrics } = await session.send('Performance.getMetrics')
  return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN) * 1000
}

/** Scrolls by this much for each frame, for so many frames; gives how long each took, in milliseconds. */
function scroll(page: Page, pixels: number, frames: number): Promise<readonly number[]> {
  return page.evaluate(
    ([step, count]) =>
      new Promise<number[]>(resolve => {
        const element = document.querySelector('.scroll')
        const took: number[] = []
        let last = performance.now()
        const turn = (now: number): void => {
          took.push(now - last)
          last = now
          if (took.length > count) {
            resolve(took.slice(1))
            return
          }
          element?.scrollBy(0, step)
          requestAnimationFrame(turn)
        }
        requestAnimationFrame(turn)
      }),
    [pixels, frames] as const,
  )
}

/** The page of a hundred nodes with ten thousand addresses, in Chromium: until it is all there, and how it scrolls. */
export async function run(): Promise<BenchResult[]> {
  if (!existsSync(browserPath)) throw new Error(`needs ${browserPath} (Debian package chromium)`)
  const folder = await mkdtemp(join(tmpdir(), 'carillon-bench-'))
  const { child, url } = await startSpeaker(folder)
  const browser = await chromium.launch({ executablePath: browserPath, args: [...flags, ...quiet] })
  try {
    const stream = await fetch(`${url}api/v1/stream`)
    let bytes = 0
    const from = performance.now()
    let text = ''
    for await (const chunk of stream.body ?? []) {
      bytes += chunk.length
      text = `${text.slice(-100)}${new TextDecoder().decode(chunk)}`
      if (text.includes('event: beat')) break
    }
    const streamMs = performance.now() - from

    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
    const opened = performance.now()
    await page.goto(url)
    await page.locator('table[aria-rowcount="10001"]').waitFor()
    const shownMs = performance.now() - opened
    await page.waitForTimeout(1000)
    const session = await page.context().newCDPSession(page)
    await session.send('Performance.enable', { timeDomain: 'threadTicks' })
    const [slowFrames, fastFrames] = [240, 120]
    const begun = await busyMs(session)
    const slow = await scroll(page, 40, slowFrames)
    const between = await busyMs(session)
    const fast = await scroll(page, 1500, fastFrames)
    const slowBusy = (between - begun) / slowFrames
    const fastBusy = ((await busyMs(session)) - between) / fastFrames
    const elements = await page.locator('*').count()
    const ms = (name: string, value: number, note?: string): BenchResult => ({
      name,
      value: Number(value.toFixed(1)),
      unit: 'ms',
      ...(note === undefined ? {} : { note }),
    })
    return [
      ms('until 10,000 addresses are shown, from opening the page', shownMs),
      ms('until the whole stream has arrived', streamMs, `${Math.round(bytes / 1000)} kB`),
      ms('processor time of a frame while scrolling', slowBusy, '40 pixels a frame; painted without a GPU'),
      ms('a frame while scrolling, median', quantile(slow, 0.5)),
      ms('a frame while scrolling, 95 of 100', quantile(slow, 0.95)),
      ms('processor time of a frame while racing', fastBusy, '1500 pixels a frame: every row is another one'),
      ms('a frame while racing, median', quantile(fast, 0.5)),
      ms('a frame while racing, 95 of 100', quantile(fast, 0.95)),
      { name: 'elements in the document', value: elements, unit: '' },
    ]
  } finally {
    await browser.close()
    child.kill('SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
}
