import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeLab } from './support/needs.ts'
import { bin } from './support/speaker-lab.ts'

interface Report {
  readonly router: string
  readonly nextHops: readonly string[]
  readonly losses: readonly { readonly node: string; readonly goneMs: number; readonly backMs: number }[]
}

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'carillon-test-'))
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

const routers = [
  ['bird', 'BIRD', ['bird']],
  ['frr', 'FRR', ['/usr/lib/frr/bgpd']],
] as const

for (const [word, name, needs] of routers) {
  describeLab(`carillon lab --bgp ${word}`, ['unshare', ...needs], () => {
    it(`shows ${name} losing each of three next hops and getting it back, and leaves nothing behind`, () => {
      const env = { ...process.env, TMPDIR: folder }
      const out = execFileSync(execPath, [bin, 'lab', '--bgp', word, '--json'], { env, encoding: 'utf8' })
      const report = JSON.parse(out) as Report
      expect(report).toMatchObject({ router: name, nextHops: ['node-a', 'node-b', 'node-c'] })
      expect(report.losses.map(({ node }) => node)).toEqual(['node-a', 'node-b', 'node-c'])
      // A hold time would take 90 seconds.
      for (const { goneMs } of report.losses) expect(goneMs).toBeLessThan(5000)
      expect(readdirSync(folder)).toEqual([])
    })
  })
}
