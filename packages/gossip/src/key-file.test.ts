import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeClock, RecordingLogger, settle } from '@carillon/core/testing'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { KeyFile, type KeyFileOptions, parseKeys } from './key-file.ts'
import { deriveMetalLBKey, Keyring } from './keyring.ts'

const key = (fill: number): Buffer => Buffer.alloc(32, fill)
const [one, two, three] = [key(1), key(2), key(3)]
const lines = (...keys: readonly Buffer[]): Buffer =>
  Buffer.from(keys.map(each => `${each.toString('base64')}\n`).join(''))

async function lab(content: Buffer, options: Partial<KeyFileOptions> = {}) {
  const clock = new FakeClock()
  const log = new RecordingLogger()
  const keyring = new Keyring()
  const disk: { content: Buffer | undefined } = { content }
  const read = async (): Promise<Uint8Array> => {
    if (!disk.content) throw new Error('ENOENT')
    return disk.content
  }
  const file = await KeyFile.open({ path: '/etc/gossip.key', keyring, clock, log, read, ...options })
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 1000) {
      clock.advance(Math.min(1000, left))
      await settle()
    }
  }
  const keys = (): number[] => keyring.keys.map(each => each[0] as number)
  return { clock, log, keyring, disk, file, pass, keys }
}

describe('a key file', () => {
  it('holds one key, raw or base64, or several, the primary first', () => {
    expect(parseKeys(one)).toEqual([new Uint8Array(one)])
    expect(parseKeys(lines(one))).toEqual([new Uint8Array(one)])
    expect(parseKeys(Buffer.concat([lines(two), Buffer.from('\r\n'), lines(one)]))).toEqual([
      new Uint8Array(two),
      new Uint8Array(one),
    ])
  })

  it('with a line that is no key is refused, and the message does not show the line', () => {
    const content = Buffer.concat([lines(one), Buffer.from('topsecret\n')])
    expect(() => parseKeys(content)).toThrow(/line 2.*9 bytes/)
    expect(() => parseKeys(content)).not.toThrow(/topsecret/)
    expect(() => parseKeys(Buffer.alloc(0))).toThrow(expect.objectContaining({ code: 'BAD_KEY' }))
  })

  it('of any bytes gives keys or BAD_KEY', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), content => {
        try {
          for (const each of parseKeys(content)) expect([16, 24, 32]).toContain(each.length)
        } catch (error) {
          expect(error).toMatchObject({ code: 'BAD_KEY' })
        }
      }),
    )
  })

  it('that cannot be read when it is opened is an error that names it', async () => {
    const keyring = new Keyring()
    await expect(KeyFile.open({ path: '/nowhere/gossip.key', keyring })).rejects.toMatchObject({
      code: 'KEY_FILE_UNREADABLE',
      message: expect.stringContaining('/nowhere/gossip.key'),
    })
  })

  it('of MetalLB gives the key that its speakers derive; an empty one means none, with a warning', async () => {
    const secret = Buffer.from('A'.repeat(22))
    const { keyring } = await lab(secret, { format: 'metallb' })
    expect(keyring.keys).toEqual([deriveMetalLBKey(secret)])
    const empty = await lab(Buffer.alloc(0), { format: 'metallb' })
    expect(empty.keyring.keys).toEqual([])
    expect(empty.log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
  })
})

describe('rotation', () => {
  it('in two steps: first the new key is second in the file, later it stands there alone', async () => {
    const { disk, pass, keys } = await lab(lines(one))
    disk.content = lines(one, two)
    await pass(2000)
    expect(keys()).toEqual([1, 2])
    await pass(300_000)
    expect(keys()).toEqual([1, 2])
    disk.content = lines(two)
    await pass(2000)
    expect(keys()).toEqual([2, 1])
    await pass(599_000)
    expect(keys()).toEqual([2, 1])
    await pass(2000)
    expect(keys()).toEqual([2])
  })

  it('in one step: the new key decrypts at once, encrypts once everyone had time to read it, and the old one goes last', async () => {
    const { disk, pass, keys } = await lab(lines(one))
    disk.content = lines(two)
    await pass(2000)
    expect(keys()).toEqual([1, 2])
    await pass(118_000)
    expect(keys()).toEqual([1, 2])
    await pass(2000)
    expect(keys()).toEqual([2, 1])
    await pass(602_000)
    expect(keys()).toEqual([2])
  })

  it('that is taken back leaves everything as it was', async () => {
    const { disk, pass, keys } = await lab(lines(one))
    disk.content = lines(two)
    await pass(10_000)
    disk.content = lines(one)
    await pass(700_000)
    expect(keys()).toEqual([1])
  })

  it('leaves keys alone that somebody else added', async () => {
    const { disk, pass, keys, keyring } = await lab(lines(one), { settleMs: 0, keepMs: 0 })
    keyring.add(three)
    disk.content = lines(two)
    await pass(4000)
    expect(keys()).toEqual([2, 3])
  })

  it.each([
    ['is gone', undefined],
    ['is empty', Buffer.alloc(0)],
    ['is half written', Buffer.from('AQEB')],
  ])('is not misled by a file that %s: the keys stay, and that is logged once', async (_what, content) => {
    const { disk, pass, keys, log } = await lab(lines(one))
    disk.content = content
    await pass(60_000)
    expect(keys()).toEqual([1])
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
    disk.content = lines(one, two)
    await pass(4000)
    expect(keys()).toEqual([1, 2])
  })

  it('ends with the file', async () => {
    const { disk, pass, keys, file, clock } = await lab(lines(one))
    await file[Symbol.asyncDispose]()
    disk.content = lines(one, two)
    await pass(10_000)
    expect(keys()).toEqual([1])
    expect(clock.pending).toBe(0)
  })
})

it('a Secret that is mounted as a symlink is followed to its new version', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-key-'))
  try {
    for (const [version, content] of [
      ['v1', lines(one)],
      ['v2', lines(one, two)],
    ] as const) {
      await mkdir(join(folder, version))
      await writeFile(join(folder, version, 'key'), content)
    }
    await symlink('v1', join(folder, 'data'))
    await symlink(join('data', 'key'), join(folder, 'key'))
    const keyring = new Keyring()
    await using file = await KeyFile.open({ path: join(folder, 'key'), keyring })
    expect(keyring.keys).toHaveLength(1)
    await rm(join(folder, 'data'))
    await symlink('v2', join(folder, 'data'))
    await file.refresh()
    expect(keyring.keys).toHaveLength(2)
  } finally {
    await rm(folder, { recursive: true })
  }
})
