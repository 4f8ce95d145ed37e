import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigParser, MemorySource, type Resource, type Snapshot } from '@carillon/core'
import { FakeClock } from '@carillon/core/testing'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { PasswordFiles } from './password-files.ts'
import { PasswordSource } from './password-source.ts'

let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carillon-passwords-'))
})

afterEach(() => rm(folder, { recursive: true, force: true }))

const peer = (name: string, peerAddress: string): Resource =>
  ({
    apiVersion: 'metallb.io/v1beta2',
    kind: 'BGPPeer',
    metadata: { name, namespace: undefined, labels: {}, annotations: {} },
    spec: {
      myASN: 64512,
      peerASN: 64513,
      peerAddress,
      peerPort: 179,
      disableMP: false,
      dualStackAddressFamily: false,
    },
  }) as unknown as Resource

async function stage() {
  const path = join(folder, 'tor-1')
  await writeFile(path, 'old')
  const clock = new FakeClock()
  const inner = new MemorySource([peer('tor-1', '10.0.0.1'), peer('tor-2', '10.0.0.2')])
  let touch = (): void => {}
  let watching = true
  const source = new PasswordSource(inner, new PasswordFiles([`tor-1=${path}`]), {
    clock,
    async watch(_paths, changed) {
      touch = changed
      return async () => {
        watching = false
      }
    },
  })
  const told: Snapshot[] = []
  source.events.on('snapshot:changed', snapshot => told.push(snapshot))
  /** The next snapshot, once time has passed. */
  const after = (ms: number): Promise<Snapshot> =>
    new Promise(resolve => {
      source.events.once('snapshot:changed', resolve)
      clock.advance(ms)
    })
  return { path, clock, inner, source, told, after, touch: () => touch(), watching: () => watching }
}

it('gives the passwords with the resources, and a changed one changes that peer alone', async () => {
  const { path, source, inner, after, touch, told } = await stage()
  const parser = new ConfigParser()
  const before = parser.parse(await source.start()).config
  expect(before?.peers.map(({ password }) => password)).toEqual(['old', undefined])
  expect(source.current()).toBe(source.current())

  await writeFile(path, 'new\n')
  touch()
  const later = parser.parse(await after(50)).config
  expect(later?.peers.map(({ password }) => password)).toEqual(['new', undefined])
  expect(later?.peers[1]).toBe(before?.peers[1])

  const count = told.length
  inner.set([peer('tor-1', '10.0.0.1')])
  expect(told).toHaveLength(count + 1)
  expect(parser.parse(source.current()).config?.peers.map(({ password }) => password)).toEqual(['new'])
  await source[Symbol.asyncDispose]()
})

it('leaves the last valid configuration in force where a file has gone, and says so', async () => {
  const { path, source, after, touch } = await stage()
  await source.start()
  await rm(path)
  touch()
  const { problems, passwords } = await after(50)
  expect(passwords?.get('tor-1')).toBe('old')
  expect(problems).toMatchObject([{ severity: 'error', kind: 'BGPPeer', name: 'tor-1' }])
  expect(problems[0]?.message).toContain(`${path}: ENOENT`)

  await writeFile(path, 'old')
  touch()
  expect((await after(50)).problems).toEqual([])
  await source[Symbol.asyncDispose]()
})

it('is not told of everything by the kernel, and looks by itself twice a minute', async () => {
  const { path, source, after } = await stage()
  await source.start()
  await writeFile(path, 'new')
  expect((await after(30_000)).passwords?.get('tor-1')).toBe('new')
  await source[Symbol.asyncDispose]()
})

it('does not start with a file that cannot be used', async () => {
  const { path, source } = await stage()
  await writeFile(path, '')
  await expect(source.start()).rejects.toMatchObject({ code: 'USAGE' })
})

it('ends with the source that it is beside', async () => {
  const { clock, source, watching } = await stage()
  await source.start()
  await source[Symbol.asyncDispose]()
  expect(watching()).toBe(false)
  expect(clock.pending).toBe(0)
})
