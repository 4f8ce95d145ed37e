import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { KubeApiServer } from '@carillon/kubernetes/testing'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parse } from 'yaml'
import { LabBrowser } from './support/browser.ts'
import { LoneSpeaker } from './support/lone-speaker.ts'
import { describeLab } from './support/needs.ts'

const namespace = 'metallb-system'
const crds = fileURLToPath(new URL('../../deploy/crds', import.meta.url))

describeLab('the page while the API server is away', ['chromium'], () => {
  let folder: string
  let server: KubeApiServer
  let speaker: LoneSpeaker
  let browser: LabBrowser
  let page: Page

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'carillon-test-'))
    server = await KubeApiServer.start()
    for (const name of readdirSync(crds).filter(one => one.endsWith('.yaml'))) {
      const definition = parse(readFileSync(join(crds, name), 'utf8'))
      // Conversion asks a webhook, which nobody runs here.
      delete definition.spec.conversion
      await server.store.create(definition)
    }
    const own = { namespace }
    for (const object of [
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
      { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-a' } },
      {
        apiVersion: 'metallb.io/v1beta1',
        kind: 'IPAddressPool',
        metadata: { ...own, name: 'lan' },
        spec: { addresses: ['10.77.0.0/24'] },
      },
      {
        apiVersion: 'metallb.io/v1beta1',
        kind: 'L2Advertisement',
        metadata: { ...own, name: 'all' },
        spec: {},
      },
    ])
      await server.store.create(object)
    const web = await server.store.create({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
    })
    await server.store.updateStatus({ ...web, status: { loadBalancer: { ingress: [{ ip: '10.77.0.1' }] } } })
    const kubeconfig = join(folder, 'kubeconfig')
    await writeFile(kubeconfig, server.kubeconfig())
    const words = ['speaker', '--kubeconfig', kubeconfig, '--namespace', namespace, '--node-name', 'node-a']
    speaker = await LoneSpeaker.start(...words)
    browser = await LabBrowser.start()
    page = await browser.open(speaker.url)
  })

  afterAll(async () => {
    await browser?.[Symbol.asyncDispose]()
    await speaker?.[Symbol.asyncDispose]()
    await server?.stop()
    await rm(folder, { recursive: true, force: true })
  })

  it('says so and what it means, keeps everything in sight, and takes it back when the server is there again', async () => {
    await page.getByRole('button', { name: '10.77.0.1', exact: true }).waitFor()
    const attention = page.getByRole('region', { name: /Needs attention/ })
    await server.faults.down()
    const outage = attention.getByText('The API server is out of reach')
    await outage.waitFor()
    expect(await attention.textContent()).toContain(
      'What is announced stays announced, and dead nodes are still replaced; changes to Services and nodes are not seen.',
    )
    await page.getByRole('button', { name: '10.77.0.1', exact: true }).waitFor()
    expect(await page.locator('.connection').textContent()).toBe('live')
    await browser.keep(page, 'api-outage')
    await server.faults.up()
    await outage.waitFor({ state: 'detached' })
    expect(browser.complaints).toEqual([])
  })
})
