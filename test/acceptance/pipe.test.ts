import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { asYaml } from './carillon.ts'
import { pool, service } from './manifests.ts'

const bin = fileURLToPath(new URL('../../packages/cli/bin/carillon.js', import.meta.url))

it('the built program ends quietly when its reader has seen enough', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-pipe-'))
  try {
    // More than a pipe holds.
    const services = Array.from({ length: 1000 }, (_, i) => service(`s${i}`))
    await writeFile(join(folder, 'all.yaml'), asYaml([pool('a', ['10.0.0.0/16']), ...services]))
    const line = `"${process.execPath}" "${bin}" plan --json --manifests "${folder}" | head -n 1`
    expect(await promisify(execFile)('sh', ['-c', line])).toEqual({ stdout: '{\n', stderr: '' })
  } finally {
    await rm(folder, { recursive: true })
  }
})
