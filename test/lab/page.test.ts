/// <reference lib="dom" />
import type { SpeakerStatus } from '@carillon/core'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { LabBrowser } from './support/browser.ts'
import { contrasts } from './support/contrast.ts'
import { cluster, service } from './support/manifests.ts'
import { describeLab } from './support/needs.ts'
import { eventually, SpeakerLab } from './support/speaker-lab.ts'

const nodes = ['node-a', 'node-b', 'node-c'] as const
const apps = [
  'web',
  'api',
  'auth',
  'mail',
  'git',
  'queue',
  'cache',
  'search',
  'metrics',
  'registry',
  'ingest',
  'logs',
]

const manifests = cluster(
  nodes,
  ...apps.map((name, i) => service(name, { addresses: [`10.77.0.${100 + i}`] })),
  service('gateway', {
    addresses: ['10.77.0.120', 'fd77::120'],
    spec: { ipFamilyPolicy: 'PreferDualStack' },
  }),
  service('lost', { addresses: ['172.16.0.1'] }),
)

/** Everybody knows two of the three. */
const join = ['--gossip-join', '10.77.0.11', '--gossip-join', '10.77.0.12']

/** What the table of addresses says, row by row. */
const table = async (page: Page): Promise<ReadonlyMap<string, readonly string[]>> => {
  const rows = await page
    .locator('table.addresses tbody tr')
    .evaluateAll(all => all.map(row => [...row.children].map(cell => cell.textContent ?? '')))
  return new Map(rows.map(cells => [cells[0] ?? '', cells]))
}

const ownersIn = (status: SpeakerStatus): ReadonlyMap<string, string | null> =>
  new Map(status.services.flatMap(({ addresses, owner }) => addresses.map(address => [address, owner])))

describeLab('the page of a cluster of three', ['chromium'], () => {
  let lab: SpeakerLab
  let browser: LabBrowser
  let page: Page
  const at = (node: string): string => `http://10.77.0.1${nodes.indexOf(node as 'node-a') + 1}:7472/`
  const status = async (node: string): Promise<SpeakerStatus> =>
    eventually(`${node} answers`, () => lab.status(node))

  beforeAll(async () => {
    lab = await SpeakerLab.build('page', { nodes, manifests })
    await lab.start(nodes, [...join, '--http', '0.0.0.0:7472'])
    await lab.whenStatus(
      'node-a',
      'all three live',
      ({ members }) => members.filter(({ liveness }) => liveness === 'alive').length === 3,
    )
    browser = await LabBrowser.start(lab.net.namespace('client'))
    page = await browser.open(at('node-a'))
  })

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await lab?.[Symbol.asyncDispose]()
  })

  it('shows at any node which node has which address, and who is next', async () => {
    const { services } = await status('node-b')
    for (const node of nodes) {
      const one = node === 'node-a' ? page : await browser.open(at(node))
      await one.getByText('as node').waitFor()
      const expected = services.flatMap(({ state, name, addresses, owner, succession }) =>
        state === 'assigned'
          ? addresses.map(address => [address, `default/${name}`, 'lan', owner, succession[1]])
          : [],
      )
      await expect
        .poll(async () => [...(await table(one)).values()].map(([a, b, c, d, , e]) => [a, b, c, d, e]).sort())
        .toEqual(expected.sort())
      if (one !== page) await one.close()
    }
  })

  it('shows of every node how it hears and how busy it is, whichever node is asked', async () => {
    await page.getByRole('link', { name: /^Nodes/ }).click()
    for (const node of nodes) {
      const row = page.locator('table.nodes tbody tr', { hasText: node })
      await row.locator('td.memory', { hasText: 'MB' }).waitFor()
      expect(await row.locator('td.liveness').textContent()).toBe('alive')
      expect(await row.locator('td.health').textContent()).toMatch(/^\d+$/)
      expect(await row.locator('td.load').textContent()).toMatch(/^\d+\.\d\d$/)
    }
    await browser.keep(page, 'nodes')
    await page.getByRole('link', { name: /^Pools/ }).click()
    await expect
      .poll(() => page.getByRole('meter', { name: 'IPv4 of lan' }).getAttribute('aria-valuetext'))
      .toBe('13 of 21')
    await page.getByRole('link', { name: /^BGP/ }).click()
    await page.getByText('No node has a BGP session').waitFor()
    await page.getByRole('link', { name: /^Addresses/ }).click()
  })

  it('says what is pending, why, and what to do', async () => {
    const attention = page.getByRole('region', { name: /Needs attention/ })
    await attention.getByText('default/lost has no address').waitFor()
    expect(await attention.textContent()).toContain(
      'the requested address 172.16.0.1 is in no IPAddressPool: ask for one that is, or add it to a pool',
    )
  })

  it('is usable by keyboard alone: search, walk, open, close', async () => {
    await page.keyboard.press('/')
    await page.keyboard.type('default/m')
    await expect.poll(() => page.locator('table.addresses tbody tr').count()).toBe(2)
    await page.keyboard.press('Escape')
    await expect.poll(() => page.locator('table.addresses tbody tr').count()).toBe(14)
    await page.getByRole('button', { name: '10.77.0.100', exact: true }).focus()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('ArrowUp')
    await page.keyboard.press('Enter')
    const details = page.getByRole('region', { name: '10.77.0.101' })
    await details.getByRole('heading', { name: 'In line' }).waitFor()
    const owner = ownersIn(await status('node-a')).get('10.77.0.101')
    expect(await details.locator('ol.line li').first().textContent()).toContain(
      `${owner}owner, smaller digest`,
    )
    expect(await details.locator('ol.line li').count()).toBe(3)
    await details.getByText('another node was elected').waitFor()
    await page.keyboard.press('Escape')
    await details.waitFor({ state: 'detached' })
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('10.77.0.101')
  })

  it('is read by a screen reader as tables with headings', async () => {
    const addresses = page.getByRole('table')
    expect(await addresses.getAttribute('aria-rowcount')).toBe('15')
    expect(await addresses.getByRole('columnheader').allTextContents()).toEqual([
      'Address',
      'Service',
      'Pool',
      'Owner',
      'For',
      'Next in line',
      'By',
    ])
    expect(await addresses.getByRole('rowheader').count()).toBe(14)
    expect((await page.getByRole('heading', { level: 1 }).textContent())?.trim()).toBe('Carillon')
    await page.getByRole('button', { name: 'Owner', exact: true }).click()
    await expect
      .poll(() => addresses.getByRole('columnheader', { name: 'Owner' }).getAttribute('aria-sort'))
      .toBe('ascending')
    await page.getByRole('button', { name: 'Address', exact: true }).click()
    expect(await page.locator('[aria-live], [role="status"], [role="alert"]').count()).toBe(1)
  })

  it('has enough contrast everywhere, in the light and in the dark', async () => {
    for (const theme of ['light', 'dark'] as const) {
      await expect
        .poll(async () => {
          await page.getByRole('button', { name: 'Theme' }).click()
          return page.locator('html').getAttribute('data-theme')
        })
        .toBe(theme)
      const poor = (await contrasts(page)).filter(({ ratio }) => ratio < 4.5)
      expect(poor, theme).toEqual([])
    }
    await browser.keep(page, 'three-dark')
    await page.getByRole('button', { name: 'Theme' }).click()
  })

  it('shows a takeover while it happens: who died, for how long nobody answered, and who has the addresses now', async () => {
    const before = ownersIn(await status('node-a'))
    const victim = before.get('10.77.0.104') === 'node-a' ? 'node-c' : (before.get('10.77.0.104') as string)
    const lost = [...before].filter(([, owner]) => owner === victim).map(([address]) => address)
    expect(lost.length).toBeGreaterThan(0)
    await page.evaluate(() => {
      document.body.dataset.sameDocument = 'yes'
    })
    await lab.signal(victim, 'SIGKILL')
    const timeline = page.getByRole('region', { name: 'What happened' })
    await timeline.getByText(`${victim} died`).waitFor()
    await timeline
      .getByText(/gap about \d+ ms/)
      .first()
      .waitFor()
    const shown = async (column: number): Promise<readonly (string | undefined)[]> => {
      const rows = await table(page)
      return lost.map(address => rows.get(address)?.[column])
    }
    await expect.poll(() => shown(3)).not.toContain(victim)
    expect((await shown(4)).filter(since => since?.includes('≥'))).toEqual([])
    await page
      .getByRole('region', { name: /Needs attention/ })
      .getByText(`${victim} is dead`)
      .waitFor()
    await expect.poll(() => page.getByRole('status').textContent()).toContain(`${victim} died`)
    await page.setViewportSize({ width: 1280, height: 720 })
    await browser.keep(page, 'takeover')
    await page.setViewportSize({ width: 1440, height: 900 })
    await page.getByRole('link', { name: /^Nodes/ }).click()
    const row = page.locator('table.nodes tbody tr', { hasText: victim })
    expect(await row.locator('td.liveness').textContent()).toBe('dead')
    expect(await row.locator('td.owns').textContent()).toBe('0')
    await page.getByRole('link', { name: /^Addresses/ }).click()
    expect(await page.locator('body').getAttribute('data-same-document')).toBe('yes')
    expect([...ownersIn(await status('node-a')).values()]).not.toContain(victim)
  })

  it('says when the connection is lost since when nothing is up to date, and goes on when it is back', async () => {
    await lab.signal('node-a', 'SIGKILL')
    const banner = page.locator('.banner')
    await banner.waitFor()
    expect(await banner.textContent()).toMatch(
      /^Not up to date\. The connection to node-a was lost at \d\d:\d\d:\d\d, \d+ s ago\. Everything below is as it was then; trying to connect again\.$/,
    )
    expect(await page.locator('table.addresses tbody tr').count()).toBe(14)
    await browser.keep(page, 'connection-lost')
    await lab.start(['node-a'], [...join, '--http', '0.0.0.0:7472'])
    await banner.waitFor({ state: 'detached' })
    await page.locator('.connection.live').waitFor()
  })

  it('never complained, and asked nobody but the speakers', () => {
    expect(browser.complaints).toEqual([])
    expect([...browser.origins].sort()).toEqual(nodes.map(node => new URL(at(node)).origin))
  })
})
