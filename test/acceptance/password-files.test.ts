import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Answer, asYaml, over } from './carillon.ts'
import { type Manifest, peer } from './manifests.ts'

const password = 'only-in-the-file'

describe('a password in a file', () => {
  let folder = ''
  let file = ''

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'carillon-password-'))
    file = join(folder, 'tor')
    writeFileSync(file, `${password}\n`)
  })

  afterAll(() => rmSync(folder, { recursive: true }))

  const check = (
    command: 'plan' | 'validate',
    manifests: readonly Manifest[],
    given: string,
  ): Promise<Answer> =>
    over({ 'all.yaml': asYaml(manifests) }, command, '--json', '--bgp-password-file', given)
  const problems = ({ out }: Answer): readonly string[] =>
    (
      JSON.parse(out) as { problems: { severity: string; name: string; field: string; message: string }[] }
    ).problems.map(({ severity, name, field, message }) => `${severity} ${name} ${field}: ${message}`)

  describe.each(['plan', 'validate'] as const)('is read by carillon %s,', command => {
    it('which finds nothing wrong with one that is good', async () => {
      const answer = await check(command, [peer()], `tor=${file}`)
      expect([answer.code, problems(answer)]).toEqual([0, []])
      expect(answer.out + answer.err).not.toContain(password)
    })

    it('which says what is wrong with it as with the manifests', async () => {
      const twice = await check(command, [peer({ password: 'x' })], `tor=${file}`)
      expect([twice.code, problems(twice)]).toEqual([
        1,
        ['error tor spec.password: the password of this peer is given as a file, too: keep one of the two'],
      ])
      const gone = await check(command, [peer()], `tor=${file}.gone`)
      expect([gone.code, problems(gone)]).toEqual([1, [`error tor spec.password: ${file}.gone: ENOENT`]])
      const stranger = await check(command, [peer()], `tro=${file}`)
      expect([stranger.code, problems(stranger)]).toEqual([
        0,
        [expect.stringMatching(/^warning tro : there is no BGPPeer "tro" \(did you mean "tor"\?\)/)],
      ])
    })

    it('which wants a peer and its file together', async () => {
      const answer = await check(command, [peer()], password)
      expect([answer.code, answer.err]).toEqual([2, expect.stringContaining('wants PEER=FILE')])
      expect(answer.err).not.toContain(password)
    })
  })
})
