import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { LabBrowser } from './support/browser.ts'
import { LoneSpeaker, loneGossip } from './support/lone-speaker.ts'
import { misfits } from './support/misfits.ts'
import { describeLab } from './support/needs.ts'

const nodes = Array.from({ length: 100 }, (_, i) => `node-${String(i + 1).padStart(3, '0')}`)

/** Ten thousand Services on a hundred nodes, of which one may be excluded. */
const manifests = (excluded?: string): string =>
  JSON.stringify({
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
      ...nodes.map(name => ({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: {
          name,
          labels: name === excluded ? { 'node.kubernetes.io/exclude-from-external-load-balancers': '' } : {},
        },
      })),
      ...Array.from({ length: 10_000 }, (_, i) => ({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: {
          name: `app-${String(i).padStart(5, '0')}`,
          namespace: ['shop', 'data', 'platform'][i % 3],
          annotations: { 'metallb.io/loadBalancerIPs': `10.64.${Math.floor(i / 250)}.${i % 250}` },
        },
        spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
      })),
    ],
  })

describeLab('the page of a hundred nodes with ten thousand addresses', ['chromium'], () => {
  let folder: string
  let speaker: LoneSpeaker
  let browser: LabBrowser
  let page: Page
  const rows = () => page.locator('table.addresses tbody tr')
  const elements = (): Promise<number> => page.locator('*').count()
  const edit = async (text: string): Promise<void> => {
    await writeFile(join(folder, 'all.new'), text)
    await rename(join(folder, 'all.new'), join(folder, 'all.json'))
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'carillon-test-'))
    await edit(manifests())
    const words = ['run', '--node', 'node-001', '--manifests', folder, ...(await loneGossip())]
    speaker = await LoneSpeaker.start(...words)
    browser = await LabBrowser.start()
    page = await browser.open(speaker.url)
  })

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await speaker?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
  })

  it('lists all of them, with few of them in the document, wherever one looks', async () => {
    await expect.poll(() => page.getByRole('table').getAttribute('aria-rowcount')).toBe('10001')
    const few = 1500
    expect(await elements()).toBeLessThan(few)
    const scroll = page.getByRole('region', { name: 'Addresses' })
    for (const [share, address] of [
      [0.5, '10.64.20.0'],
      [1, '10.64.39.249'],
    ] as const) {
      await scroll.evaluate((element, where) => {
        element.scrollTop = element.scrollHeight * where
      }, share)
      await page.getByRole('button', { name: address, exact: true }).waitFor()
      expect(await elements()).toBeLessThan(few)
    }
    expect(await rows().last().getAttribute('aria-rowindex')).toBe('10001')
    // Who follows is asked for only where one looks.
    await expect.poll(() => rows().last().locator('td.next').textContent()).toMatch(/^node-\d+$/)
  })

  it('finds an address, a Service, and all that a node has', async () => {
    const search = page.getByRole('searchbox')
    await search.fill('10.64.17.33')
    await expect.poll(() => rows().count()).toBe(1)
    await search.fill('shop/app-00003')
    await expect.poll(() => rows().locator('th').allTextContents()).toEqual(['10.64.0.3'])
    await search.fill('node-042')
    await expect.poll(() => rows().first().locator('td.owner').textContent()).toBe('node-042')
    const found = Number(await page.getByRole('table').getAttribute('aria-rowcount')) - 1
    expect(found).toBeGreaterThan(50)
    await page.getByRole('link', { name: /^Nodes/ }).click()
    await expect.poll(() => page.locator('table.nodes td.owns').allTextContents()).toEqual([String(found)])
    await search.fill('')
    await expect.poll(() => page.getByRole('table').getAttribute('aria-rowcount')).toBe('101')
    await browser.keep(page, 'hundred-nodes')
  })

  it('fits a phone, and a screen that is magnified, however much there is', async () => {
    for (const [width, height] of [
      [390, 844],
      [640, 512],
    ] as const) {
      await page.setViewportSize({ width, height })
      for (const view of ['Addresses', 'Nodes', 'BGP', 'Pools'] as const) {
        await page.getByRole('link', { name: new RegExp(`^${view}`) }).click()
        expect(await misfits(page), `${width} ${view}`).toEqual([])
      }
      await page.getByRole('link', { name: /^Addresses/ }).click()
      // Rows are higher here, and the last one is where it should be all the same.
      await page.getByRole('region', { name: 'Addresses' }).evaluate(element => {
        element.scrollTop = element.scrollHeight
      })
      const last = rows().last()
      await last.getByRole('button', { name: '10.64.39.249', exact: true }).waitFor()
      await expect.poll(() => last.locator('td.next').textContent()).toMatch(/^node-\d+$/)
      expect(await elements()).toBeLessThan(1500)
      await browser.keep(page, `hundred-${width}`)
    }
    await page.setViewportSize({ width: 1440, height: 900 })
    await page.getByRole('link', { name: /^Nodes/ }).click()
  })

  it('shows a hundred addresses move at once as one thing that happened', async () => {
    await page.getByRole('link', { name: /^Addresses/ }).click()
    const had = await page.evaluate(async () => {
      const response = await fetch('api/v1/status')
      const { services } = (await response.json()) as { services: readonly { owner: string }[] }
      return services.filter(({ owner }) => owner === 'node-042').length
    })
    await edit(manifests('node-042'))
    const timeline = page.getByRole('region', { name: 'What happened' })
    const entry = timeline.locator('li', { hasText: 'node-042 may not speak' })
    await entry.waitFor()
    expect(await entry.locator('.how').textContent()).toContain(`${had} Services → `)
    expect(await entry.textContent()).toContain('no gap expected')
    await page.getByRole('searchbox').fill('node-042')
    await expect.poll(() => rows().count()).toBe(0)
    await page.getByText('No address, Service, pool or owner matches.').waitFor()
    await page.getByRole('searchbox').fill('')
    await browser.keep(page, 'ten-thousand')
    expect(browser.complaints).toEqual([])
  })
})
