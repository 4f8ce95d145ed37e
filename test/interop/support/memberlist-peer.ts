import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { execute } from '@carillon/cli/lab'

/** Where Debian's golang-github-hashicorp-memberlist-dev puts the library. */
export const memberlistSource = '/usr/share/gocode/src/github.com/hashicorp/memberlist'

const folder = fileURLToPath(new URL('../memberlist-peer/', import.meta.url))
const cache = fileURLToPath(new URL('../../../node_modules/.cache/carillon/', import.meta.url))

let path: Promise<string> | undefined

/**
 * Path of the Go program in `memberlist-peer/`, built against Debian's memberlist. It is built anew only when its source, the
 * library or the compiler has changed.
 */
export function memberlistPeer(): Promise<string> {
  path ??= build()
  return path
}

async function build(): Promise<string> {
  const hash = createHash('sha256').update((await execute('go', ['version'])).stdout)
  for (const place of [folder, memberlistSource])
    for (const file of readdirSync(place).filter(name => name.endsWith('.go')))
      hash.update(file).update(readFileSync(join(place, file)))
  const program = join(cache, `memberlist-peer-${hash.digest('hex').slice(0, 16)}`)
  if (existsSync(program)) return program
  await mkdir(cache, { recursive: true })
  const settings = ['GO111MODULE=off', 'GOPATH=/usr/share/gocode', `GOCACHE=${join(cache, 'go')}`]
  const unfinished = `${program}.${process.pid}`
  const script = 'cd "$0" && exec env "$@"'
  const words = ['-c', script, folder, ...settings, 'go', 'build', '-o', unfinished, '.']
  const { code, stderr } = await execute('sh', words)
  if (code !== 0) throw new Error(`the memberlist peer could not be built:\n${stderr}`)
  renameSync(unfinished, program)
  return program
}
