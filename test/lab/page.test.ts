/// <reference lib="dom" />
import type { ChildProcess } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { findRouter } from '@carillon/cli/lab'
import type { SpeakerEvent, SpeakerStatus } from '@carillon/core'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { barriers } from './support/axe.ts'
import { LabBrowser } from './support/browser.ts'
import { l2, node, pool, service } from './support/manifests.ts'
import { misfits } from './support/misfits.ts'
import { describeLab } from './support/needs.ts'
import { bin, eventually, SpeakerLab } from './support/speaker-lab.ts'

const nodes = ['node-a', 'node-b', 'node-c'] as const
const views = ['Addresses', 'Nodes', 'BGP', 'Pools'] as const
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

const manifests = [
  pool('lan', '10.77.0.100-10.77.0.120', 'fd77::100-fd77::120'),
  l2('lan', { ipAddressPools: ['lan'] }),
  ...nodes.map(name => node(name)),
  ...apps.map((name, i) => service(name, { addresses: [`10.77.0.${100 + i}`] })),
  service('gateway', {
    addresses: ['10.77.0.120', 'fd77::120'],
    spec: { ipFamilyPolicy: 'PreferDualStack' },
  }),
  service('lost', { addresses: ['172.16.0.1'] }),
].join('')

/** A phone; and a window of 1280 by 1024 at 200 %. */
const narrow = [
  [390, 844],
  [640, 512],
] as const

/** Everybody knows two of the three. */
const joining = ['--gossip-join', '10.77.0.11', '--gossip-join', '10.77.0.12']

/** What is added for a router: a pool of its own, and a watch that a busy machine does not take for a failure. */
const router = '10.77.0.2'
const routed = `${pool('routed', '10.99.0.0/28')}---
apiVersion: metallb.io/v1beta1
kind: BGPAdvertisement
metadata: { name: routed }
spec: { ipAddressPools: [routed] }
---
apiVersion: metallb.io/v1beta1
kind: BFDProfile
metadata: { name: calm }
spec: { receiveInterval: 300, transmitInterval: 300, detectMultiplier: 5 }
---
apiVersion: metallb.io/v1beta2
kind: BGPPeer
metadata: { name: tor-1 }
spec: { myASN: 64512, peerASN: 64513, peerAddress: ${router}, connectTime: 1s, bfdProfile: calm }
${service('shop', { addresses: ['10.99.0.1'] })}${service('portal', { addresses: ['10.99.0.2'] })}`

/** What a table says, row by row. */
const cells = (page: Page, kind: string): Promise<readonly (readonly string[])[]> =>
  page
    .locator(`table.${kind} tbody tr`)
    .evaluateAll(all => all.map(row => [...row.children].map(cell => cell.textContent ?? '')))

/** What the table of addresses says, row by row. */
const table = async (page: Page): Promise<ReadonlyMap<string, readonly string[]>> => {
  const rows = await cells(page, 'addresses')
  return new Map(rows.map(row => [row[0] ?? '', row]))
}

const ownersIn = (status: SpeakerStatus): ReadonlyMap<string, string | null> =>
  new Map(status.services.flatMap(({ addresses, owner }) => addresses.map(address => [address, owner])))

describeLab('the page of a cluster of three', ['chromium', 'bird'], () => {
  let lab: SpeakerLab
  let browser: LabBrowser
  let page: Page
  let killed = ''
  let follower: ChildProcess
  const followed = { out: '', err: '' }
  const at = (node: string): string => `http://10.77.0.1${nodes.indexOf(node as 'node-a') + 1}:7472/`
  const show = (view: (typeof views)[number]): Promise<void> =>
    page.getByRole('link', { name: new RegExp(`^${view}`) }).click()
  const status = async (node: string): Promise<SpeakerStatus> =>
    eventually(`${node} answers`, () => lab.status(node))

  beforeAll(async () => {
    lab = await SpeakerLab.build('page', { nodes, manifests })
    await lab.start(nodes, [...joining, '--http', '0.0.0.0:7472'])
    await lab.whenStatus(
      'node-a',
      'all three live',
      ({ members }) => members.filter(({ liveness }) => liveness === 'alive').length === 3,
    )
    follower = lab.net.spawn('node-a', process.execPath, [bin, 'events', '--follow', '--json'])
    follower.stdout?.on('data', (chunk: Buffer) => {
      followed.out += chunk
    })
    follower.stderr?.on('data', (chunk: Buffer) => {
      followed.err += chunk
    })
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
    await show('Nodes')
    for (const node of nodes) {
      const row = page.locator('table.nodes tbody tr', { hasText: node })
      await row.locator('td.memory', { hasText: 'MB' }).waitFor()
      expect(await row.locator('td.liveness').textContent()).toBe('alive')
      expect(await row.locator('td.health').textContent()).toMatch(/^\d+$/)
      expect(await row.locator('td.load').textContent()).toMatch(/^\d+\.\d\d$/)
    }
    await browser.keep(page, 'nodes')
    await show('Pools')
    await expect
      .poll(() => page.getByRole('meter', { name: 'IPv4 of lan' }).getAttribute('aria-valuetext'))
      .toBe('13 of 21')
    await show('BGP')
    await page.getByText('No node has a BGP session').waitFor()
    await show('Addresses')
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

  it('is walked through with the Tab key from the top to the bottom, and shows where one is', async () => {
    const search = page.getByRole('searchbox')
    await search.focus()
    await page.keyboard.press('Shift+Tab')
    expect(await search.evaluate(element => element === document.activeElement)).toBe(false)
    const walked: string[] = []
    for (let i = 0; i < 15; i++) {
      await page.keyboard.press('Tab')
      const at = page.locator(':focus')
      const [name, outline] = await at.evaluate(element => [
        element.getAttribute('aria-label') ?? element.textContent ?? '',
        getComputedStyle(element).outlineStyle,
      ])
      expect([name, outline]).toEqual([name, 'solid'])
      // On a busy machine nodes may be slow for a while, which is a thing, too.
      walked.push(name.replace(/^\d+ things? needs?/, 'something needs'))
    }
    expect(walked).toEqual([
      'Search by address, Service, pool or node',
      'Theme: auto',
      'something needs attention',
      'Addresses 14',
      'Nodes 3',
      'BGP 0',
      'Pools 1',
      'Addresses',
      'Address',
      'Service',
      'Pool',
      'Owner',
      'For',
      '10.77.0.100',
      ownersIn(await status('node-a')).get('10.77.0.100'),
    ])
    // Past a long table there is a way for those who have only keys.
    const jump = page.getByRole('button', { name: /\d+ things? needs? attention/ })
    await jump.focus()
    await page.keyboard.press('Enter')
    expect(await page.locator(':focus').textContent()).toMatch(/^Needs attention/)
  })

  it('puts no barriers up, in the light and in the dark', async () => {
    for (const theme of ['light', 'dark'] as const) {
      await page.getByRole('button', { name: 'Theme' }).click()
      await expect.poll(() => page.locator('html').getAttribute('data-theme')).toBe(theme)
      for (const view of views) {
        await show(view)
        expect(await barriers(page), `${theme} ${view}`).toEqual([])
      }
    }
    await show('Addresses')
    await browser.keep(page, 'three-dark')
    await page.getByRole('button', { name: 'Theme' }).click()
  })

  it('shows a takeover while it happens: who died, for how long nobody answered, and who has the addresses now', async () => {
    const before = ownersIn(await status('node-a'))
    const victim = before.get('10.77.0.104') === 'node-a' ? 'node-c' : (before.get('10.77.0.104') as string)
    const lost = [...before].filter(([, owner]) => owner === victim).map(([address]) => address)
    expect(lost.length).toBeGreaterThan(0)
    // What a screen reader says by itself.
    await page.evaluate(() => {
      document.body.dataset.sameDocument = 'yes'
      const said: string[] = []
      const place = document.querySelector('[role="status"]')
      const note = (): unknown => said.push(place?.textContent ?? '')
      if (place)
        new MutationObserver(note).observe(place, { characterData: true, childList: true, subtree: true })
      Object.assign(globalThis, { said })
    })
    killed = victim
    await lab.signal(victim, 'SIGKILL')
    const timeline = page.getByRole('region', { name: 'What happened' })
    await timeline.getByText(`${victim} died`).waitFor()
    await timeline
      .getByText(/gap about (\d+ ms|\d\.\d s)/)
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
    await show('Nodes')
    const row = page.locator('table.nodes tbody tr', { hasText: victim })
    expect(await row.locator('td.liveness').textContent()).toBe('dead')
    expect(await row.locator('td.owns').textContent()).toBe('0')
    await show('Addresses')
    expect(await page.locator('body').getAttribute('data-same-document')).toBe('yes')
    expect([...ownersIn(await status('node-a')).values()]).not.toContain(victim)
    const said = await page.evaluate(() => (globalThis as unknown as { said: readonly string[] }).said)
    const died = said.filter(text => text.includes('died'))
    expect(died).toHaveLength(1)
    expect(died[0]).toMatch(new RegExp(`^${victim} died: \\d Services moved\\.`))
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
    await lab.start(['node-a'], [...joining, '--http', '0.0.0.0:7472'])
    await banner.waitFor({ state: 'detached' })
    await page.locator('.connection.live').waitFor()
  })

  describe('with a router', () => {
    const sessions = (): Promise<readonly (readonly string[])[]> => cells(page, 'sessions')
    const startRouter = async (): Promise<void> => {
      const neighbours = nodes.map((node, i) => ({
        name: node.replace('-', '_'),
        address: `10.77.0.1${i + 1}`,
      }))
      const folder = join(lab.folder, 'router')
      await mkdir(folder, { recursive: true })
      const place = { net: lab.net, host: 'router', routerId: router, folder }
      await (await findRouter('bird')).start({ ...place, asn: 64513, neighbours, neighbourAsn: 64512 })
    }
    /** The rows, without how long things have been so. */
    const seen = async (): Promise<readonly (readonly string[])[]> =>
      (await sessions()).map(row => row.filter((_, column) => column !== 4))
    const established = nodes.map(node => [`tor-1 ${router}`, node, '64513', 'Established', '2', 'up', ''])

    it('shows the sessions of all nodes, for how long they are up, and how many routes each carries', async () => {
      await lab.net.host('router')
      await lab.net.join('switch', 'router', [`${router}/24`])
      await startRouter()
      await lab.start([killed], [...joining, '--http', '0.0.0.0:7472'])
      await lab.edit(`${manifests}${routed}`)
      await show('BGP')
      await expect.poll(seen, { timeout: 20_000 }).toEqual(established)
      for (const [, , , , lasting] of await sessions()) expect(lasting).toMatch(/^\d+ s$/)
      expect(await page.locator('.tile', { hasText: 'BGP sessions' }).textContent()).toBe(
        'BGP sessions3all up',
      )
      await browser.keep(page, 'sessions')
      await show('Addresses')
      await expect
        .poll(() => table(page).then(rows => rows.get('10.99.0.1')?.slice(1)))
        .toEqual(['default/shop', 'routed', 'every node, by BGP', '–', '–', 'BGP'])
      await page.getByRole('button', { name: '10.99.0.1', exact: true }).click()
      const details = page.getByRole('region', { name: '10.99.0.1' })
      await details.getByText('10.99.0.1/32 to tor-1 by node-a, node-b, node-c').waitFor()
      await page.keyboard.press('Escape')
      await show('BGP')
    })

    it('fits a phone, and a screen that is magnified, with who has an address, who is next, and why', async () => {
      for (const [width, height] of narrow) {
        await page.setViewportSize({ width, height })
        for (const view of views) {
          await show(view)
          expect(await misfits(page), `${width} ${view}`).toEqual([])
          await browser.keep(page, `${width}-${view.toLowerCase()}`)
        }
        expect(await barriers(page)).toEqual([])
        await show('Addresses')
        const { services } = await status('node-a')
        const { owner, succession } = services.find(({ name }) => name === 'git') ?? {}
        const row = page.getByRole('row', { name: '10.77.0.104' })
        await row.getByRole('button', { name: owner as string }).waitFor()
        await row.getByRole('cell', { name: succession?.[1] as string }).waitFor()
        await row.getByRole('button', { name: '10.77.0.104' }).click()
        const details = page.getByRole('region', { name: '10.77.0.104' })
        const reason = details.getByText('another node was elected')
        await reason.scrollIntoViewIfNeeded()
        expect(await misfits(page)).toEqual([])
        await browser.keep(page, `${width}-details`)
        await page.keyboard.press('Escape')
      }
      await page.setViewportSize({ width: 1440, height: 900 })
      await show('BGP')
    })

    it('says while the router is away since when, why, and what to do, and takes it back when it is there again', async () => {
      await page.evaluate(() => {
        document.body.dataset.sameDocument = 'yes'
      })
      for (const pid of await lab.net.processes('router')) process.kill(pid, 'SIGKILL')
      const attention = page.getByRole('region', { name: /Needs attention/ })
      const down = attention.locator('li', { hasText: '3 sessions with tor-1 are down' })
      await down.waitFor()
      const soon = { timeout: 10_000 }
      // A session is down before the next attempt says what is in the way.
      await expect.poll(() => down.textContent(), soon).toContain('nobody listens there')
      expect(await down.textContent()).toContain(
        'Look at the router, at AS numbers and password on both sides, and whether TCP port 179 reaches it.',
      )
      const away = async (): Promise<unknown> =>
        (await sessions()).map(([, , , state, lasting, routes, , trouble]) => [
          state,
          lasting,
          routes,
          trouble,
        ])
      const row = [
        expect.stringMatching(/^(Idle|Connect|Active)$/),
        expect.stringMatching(/^\d+ s$/),
        '0 of 2',
        expect.stringContaining(`${router}:179: connect: ECONNREFUSED, nobody listens there`),
      ]
      await expect.poll(away, soon).toEqual([row, row, row])
      await expect
        .poll(() => page.locator('.tile', { hasText: 'BGP sessions' }).textContent(), soon)
        .toBe('BGP sessions0 of 33 down')
      await page.getByText('by BGP no router is told').waitFor()
      await page
        .getByRole('region', { name: 'What happened' })
        .getByText(/^the session with tor-1 is down: /)
        .waitFor()
      await page.setViewportSize({ width: 390, height: 844 })
      expect(await misfits(page)).toEqual([])
      await page.setViewportSize({ width: 1440, height: 900 })
      await page.emulateMedia({ colorScheme: 'dark' })
      await browser.keep(page, 'router-away')
      await startRouter()
      await expect.poll(seen, { timeout: 20_000 }).toEqual(established)
      await down.waitFor({ state: 'detached' })
      await page.emulateMedia({ colorScheme: 'light' })
      expect(await page.locator('body').getAttribute('data-same-document')).toBe('yes')
    })
  })

  it('is in step with "events --follow", which tells each event once through the restart of its speaker, and ends when it is interrupted', async () => {
    const { events, startedAt } = await status('node-a')
    const lines = (): readonly string[] => followed.out.trim().split('\n')
    const newest = JSON.stringify(events.at(-1))
    await eventually('the newest event is told', () => lines().includes(newest) || undefined)
    const told = lines().map(text => JSON.parse(text) as SpeakerEvent)
    const starts = told.flatMap(({ type }, at) => (type === 'started' ? at : []))
    expect(starts).toHaveLength(2)
    // All of this speaker's, as it remembers them itself; and before them those of the one that was killed.
    expect(told.slice(starts[1]).slice(0, events.length)).toEqual(events)
    expect(told.slice(0, starts[1]).map(({ message }) => message)).toContain(`speaker of node-a started`)
    expect(told.slice(0, starts[1]).every(({ at }) => at < startedAt)).toBe(true)
    expect(followed.err).toMatch(/^carillon: .*; trying again\ncarillon: node-a answers again\n$/)
    const ended = new Promise(resolve => follower.once('exit', (...how) => resolve(how)))
    follower.kill('SIGINT')
    expect(await ended).toEqual([0, null])
  })

  it('never complained, and asked nobody but the speakers', () => {
    expect(browser.complaints).toEqual([])
    expect([...browser.origins].sort()).toEqual(nodes.map(node => new URL(at(node)).origin))
  })
})
