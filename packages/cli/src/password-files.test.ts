import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { readPasswords } from './password-files.ts'

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
  const passwords = await readPasswords([
    `tor-1=${await file('a', 'with spaces \n')}`,
    `tor-2=${await file('b=c', 'two\nlines\r\n')}`,
  ])
  expect([...passwords]).toEqual([
    ['tor-1', 'with spaces '],
    ['tor-2', 'two\nlines'],
  ])
})

it('says which file is at fault, and shows no password', async () => {
  const empty = await file('empty', '\n')
  const good = await file('good', 'hush')
  await expect(readPasswords([`tor=${join(folder, 'none')}`])).rejects.toThrow(
    /^--bgp-password-file .*none: ENOENT$/,
  )
  await expect(readPasswords([`tor=${empty}`])).rejects.toThrow(/empty: it is empty$/)
  await expect(readPasswords([`tor=${good}`, `tor=${good}`])).rejects.toThrow(/two files for this peer/)
  await expect(readPasswords(['hush'])).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.not.stringContaining('hush'),
  })
})
