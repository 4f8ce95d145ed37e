import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { PasswordFiles } from './password-files.ts'

let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carillon-passwords-'))
})

afterEach(() => rm(folder, { recursive: true, force: true }))

const file = async (name: string, content: string): Promise<string> => {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

it('reads one password for each peer, without the line break at its end', async () => {
  const files = new PasswordFiles([
    `tor-1=${await file('a', 'with spaces \n')}`,
    `tor-2=${await file('b=c', 'two\nlines\r\n')}`,
  ])
  expect([...(await files.first()).passwords]).toEqual([
    ['tor-1', 'with spaces '],
    ['tor-2', 'two\nlines'],
  ])
})

it('says which file is at fault, and shows no password', async () => {
  const empty = await file('empty', '\n')
  const good = await file('good', 'hush')
  const first = (...given: readonly string[]) => new PasswordFiles(given).first()
  await expect(first(`tor=${join(folder, 'none')}`)).rejects.toThrow(/^--bgp-password-file .*none: ENOENT$/)
  await expect(first(`tor=${empty}`)).rejects.toThrow(/empty: it is empty$/)
  expect(() => new PasswordFiles([`tor=${good}`, `tor=${good}`])).toThrow(/two files for this peer/)
  expect(() => new PasswordFiles(['hush'])).toThrow(
    expect.objectContaining({ code: 'USAGE', message: expect.not.stringContaining('hush') }),
  )
})

it('has the same answer while nothing is new, and keeps what a file held that cannot be used any more', async () => {
  const one = await file('one', 'first')
  const files = new PasswordFiles([`tor-1=${one}`, `tor-2=${await file('two', 'other')}`])
  const first = await files.first()
  expect(await files.read()).toBe(first)

  await writeFile(one, 'second\n')
  const second = await files.read()
  expect(second.passwords.get('tor-1')).toBe('second')
  expect(second.problems).toBe(first.problems)

  await rm(one)
  const third = await files.read()
  expect(third.passwords).toBe(second.passwords)
  expect(third.problems).toEqual([
    {
      severity: 'error',
      kind: 'BGPPeer',
      name: 'tor-1',
      field: 'spec.password',
      message: `${one}: ENOENT`,
    },
  ])
  expect(await files.read()).toBe(third)

  await writeFile(one, 'second')
  expect((await files.read()).problems).toEqual([])
})
