import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { env, execPath } from 'node:process'
import { fileURLToPath } from 'node:url'

const file = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url))

/** A mount of a container, as the runtime is told of it. */
export interface Mount {
  readonly destination: string
  readonly type: string
  readonly source: string
  readonly options: readonly string[]
}

/** A file or folder of this machine inside a container, to be read alone. */
export const readOnly = (source: string, destination: string): Mount => ({
  destination,
  type: 'none',
  source,
  options: ['rbind', 'ro', 'nosuid', 'nodev'],
})

/** What a container is made from. */
export interface Image {
  readonly root: string
  readonly mounts: readonly Mount[]
  readonly env: readonly string[]
  readonly entrypoint: readonly string[]
  readonly user: readonly [uid: number, gid: number]
}

/** What a line of the Dockerfile's last stage says. */
function said(instruction: string): string {
  const lines = readFileSync(file('deploy/Dockerfile'), 'utf8').split('\n')
  const line = lines.findLast(one => one.startsWith(`${instruction} `))
  if (line === undefined) throw new Error(`deploy/Dockerfile has no ${instruction}`)
  return line.slice(instruction.length + 1)
}

const declared = (): Pick<Image, 'entrypoint' | 'user'> => {
  const [uid = 0, gid = 0] = said('USER').split(':').map(Number)
  return { entrypoint: JSON.parse(said('ENTRYPOINT')) as string[], user: [uid, gid] }
}

/**
 * The image, where CARILLON_IMAGE_ROOT names the folder that it was unpacked into. Else what its Dockerfile would make of this machine's
 * libraries, its Node and what is built here, at the same places; `folder`, which is empty, becomes its root.
 */
export function image(folder: string): Image {
  const common = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  const root = env.CARILLON_IMAGE_ROOT
  if (root !== undefined) return { ...declared(), root, mounts: [], env: [`PATH=${common}`, said('ENV')] }
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) symlinkSync(`usr/${name}`, join(folder, name))
  mkdirSync(join(folder, 'node'))
  symlinkSync('/carillon/packages/cli/bin/carillon.js', join(folder, 'node', 'carillon'))
  const mounts = [
    readOnly('/usr', '/usr'),
    readOnly(execPath, '/node/node'),
    readOnly(file('node_modules'), '/carillon/node_modules'),
    readOnly(file('packages'), '/carillon/packages'),
  ]
  return { ...declared(), root: folder, mounts, env: [`PATH=/node:${common}`, said('ENV')] }
}
