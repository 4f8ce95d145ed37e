import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeClock, RecordingLogger } from '@carillon/core/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { ServingCertificate } from './certificates.ts'
import { MountedCertificates } from './mounted-certificates.ts'
import { type Certified, issueLeaf, makeAuthority } from './x509.ts'

const times = { from: new Date('2026-01-01T00:00:00Z'), to: new Date('2026-04-01T00:00:00Z') }
const authority = makeAuthority({ commonName: 'tests', ...times })
const issue = (): Certified =>
  issueLeaf({ commonName: 'tests', key: authority.key }, { commonName: 'x', hosts: ['x'], ...times })

let folder: string
let clock: FakeClock
let log: RecordingLogger
let mounted: MountedCertificates
let changes: ServingCertificate[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mounted-'))
  clock = new FakeClock()
  log = new RecordingLogger()
  changes = []
  mounted = new MountedCertificates({ folder, clock, log, rereadMs: 30_000 })
  mounted.events.on('certificate:changed', one => changes.push(one))
})
afterEach(async () => {
  await mounted[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

function put({ certificate, key }: Partial<Certified>): void {
  if (certificate !== undefined) writeFileSync(join(folder, 'tls.crt'), certificate)
  if (key !== undefined) writeFileSync(join(folder, 'tls.key'), key)
}

/** Lets the files be read again, and waits until that is over. */
async function reread(): Promise<void> {
  clock.advance(30_000)
  while (clock.pending === 0) await new Promise(resolve => setImmediate(resolve))
}

it('certificates in a folder are read, and again when they have changed', async () => {
  const [first, second] = [issue(), issue()]
  put(first)
  expect(await mounted.start()).toEqual(first)
  expect(mounted.status()).toEqual({ validTo: '2026-04-01T00:00:00.000Z' })
  await reread()
  expect(changes).toEqual([])
  put(second)
  await reread()
  expect(changes).toEqual([second])
  expect(mounted.current()).toEqual(second)
})

it('what cannot be used leaves the last that could in force, and is told once', async () => {
  const [first, second] = [issue(), issue()]
  put(first)
  await mounted.start()
  put({ key: second.key })
  await reread()
  await reread()
  expect(mounted.current()).toEqual(first)
  expect(mounted.status().failing).toMatchObject({
    since: '2026-01-01T00:00:30.000Z',
    error: { code: 'CERTIFICATE_UNUSABLE' },
  })
  expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
  put(second)
  await reread()
  expect(mounted.current()).toEqual(second)
  expect(mounted.status().failing).toBeUndefined()
})

it.each<readonly [string, () => Partial<Certified>, string]>([
  ['nothing is there', () => ({}), 'tls.crt: there is no such file'],
  ['the key is missing', () => ({ certificate: issue().certificate }), 'tls.key: there is no such file'],
  ['it is no certificate', () => ({ ...issue(), certificate: 'x' }), 'tls.crt holds no certificate in PEM'],
  [
    'it is no key',
    () => ({ ...issue(), key: 'x' }),
    'tls.key holds no private key in PEM without a passphrase',
  ],
  ['the two do not belong together', () => ({ ...issue(), key: issue().key }), 'tls.key is not the key of'],
])('at the start it is an error when %s', async (_, files, message) => {
  put(files())
  await expect(mounted.start()).rejects.toMatchObject({
    code: 'CERTIFICATE_UNUSABLE',
    message: expect.stringContaining(message),
  })
  expect(clock.pending).toBe(0)
})
