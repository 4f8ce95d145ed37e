import { equal } from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import {
  type AnnouncementStatus,
  announcerContext,
  MemorySource,
  noMetrics,
  parseResource,
  Speaker,
  silentLogger,
} from '@carillon/core'
import { type AnnouncerUnderTest, announcerContract, FakeClock, MemoryNetwork } from '@carillon/core/testing'
import { HostsFile, hostsFile } from './hosts-file.ts'

const folders: string[] = []
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), 'hosts-file-'))
  folders.push(made)
  return made
}
after(() => {
  for (const one of folders) rmSync(one, { recursive: true })
})

const clock = new FakeClock()
const network = new MemoryNetwork({ clock, random: Math.random }).host('node-a', '10.0.0.1')
const context = announcerContext({ node: 'node-a', network, clock })

function make(): AnnouncerUnderTest & { readonly announcer: HostsFile } {
  const announcer = new HostsFile({ folder: folder() }, context)
  return {
    announcer,
    advertisement: n => ({ address: `192.168.1.${n}`, services: [`default/web-${n}`], options: {} }),
    settle: () => announcer.written(),
  }
}

for (const check of announcerContract(make)) test(check.name, () => check.run())

test('tries again when the file cannot be written', async () => {
  const { announcer, advertisement } = make()
  await announcer.start()
  const told: AnnouncementStatus['state'][] = []
  announcer.events.on('announcement:changed', ({ state }) => told.push(state))
  rmSync(join(announcer.path, '..'), { recursive: true })
  writeFileSync(join(announcer.path, '..'), 'in the way')
  announcer.announce([advertisement(1)])
  await announcer.written()
  equal(announcer.status()[0]?.error?.code, 'HOSTS_FILE')
  rmSync(join(announcer.path, '..'))
  await announcer.start()
  await announcer.written()
  equal(told.join(), 'pending,failed,announced')
  await announcer[Symbol.asyncDispose]()
})

test('a speaker writes the names of the Services whose addresses its node holds', async () => {
  const objects = [
    { apiVersion: 'metallb.io/v1beta1', kind: 'IPAddressPool', spec: { addresses: ['192.168.1.240/28'] } },
    { apiVersion: 'metallb.io/v1beta1', kind: 'L2Advertisement', spec: {} },
    { apiVersion: 'v1', kind: 'Service', spec: { type: 'LoadBalancer', ports: [{ port: 80 }] } },
  ]
  const resources = objects.flatMap(
    object => parseResource({ ...object, metadata: { name: 'web' } })?.resource ?? [],
  )
  const where = folder()
  const speaker = new Speaker({
    node: 'node-a',
    source: new MemorySource(resources),
    announcers: [hostsFile({ folder: where, domain: 'example.org' })],
    clock,
    network,
    log: silentLogger,
    metrics: noMetrics,
    random: Math.random,
    version: '1.0.0',
    standalone: true,
  })
  await speaker.start()
  for (const announcer of speaker.announcers) if (announcer instanceof HostsFile) await announcer.written()
  const file = join(where, 'node-a.hosts')
  equal(readFileSync(file, 'utf8'), '192.168.1.240 web.default.example.org\n')
  await speaker[Symbol.asyncDispose]()
  equal(existsSync(file), false)
})
