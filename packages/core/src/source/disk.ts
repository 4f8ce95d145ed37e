import { constants, existsSync } from 'node:fs'
import { access, readdir, readFile, stat, statfs } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { CarillonError } from '../errors.ts'
import type { ManifestFiles } from './files.ts'
import type { ManifestFile } from './manifest.ts'

const manifestName = /^[^.].*\.(ya?ml|json)$/

/** How often one looks whether a path that went away is back, in milliseconds. */
const gonePollMs = 500

const unreadable = (path: string, error: unknown): CarillonError => {
  const errno = (error as NodeJS.ErrnoException | undefined)?.code
  const why = errno === 'ENOENT' ? 'there is no such file or folder' : (errno ?? String(error))
  return new CarillonError(
    'SOURCE_UNREADABLE',
    `cannot read manifests at ${path}: ${why}`,
    { path, errno },
    { cause: error },
  )
}

/** A file is taken as it is, whatever its name; a folder gives its `.yaml`, `.yml` and `.json` files, without sub-folders. */
async function list(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path]
    const names = (await readdir(path)).filter(name => manifestName.test(name)).sort()
    return names.map(name => join(path, name))
  } catch (error) {
    throw unreadable(path, error)
  }
}

/** What tells a changed file as `read` names it; undefined where it is in none of the paths. */
function namer(paths: readonly string[]): (changed: string) => string | undefined {
  const known = new Map(paths.map(path => [resolve(path), path]))
  return changed => {
    const whole = resolve(changed)
    const folder = known.get(dirname(whole))
    return known.get(whole) ?? (folder === undefined ? undefined : join(folder, basename(whole)))
  }
}

/** Manifests on disk: files and folders (not their sub-folders), watched. */
export function manifestsOnDisk(paths: readonly string[]): ManifestFiles {
  return {
    async read() {
      const files: ManifestFile[] = []
      const seen = new Set<string>()
      for (const path of paths) {
        for (const file of await list(path)) {
          if (seen.has(file)) continue
          seen.add(file)
          try {
            files.push({ path: file, text: await readFile(file, 'utf8') })
          } catch (error) {
            // A file that went away between listing and reading is one that is not there; one that was named has to be.
            const gone =
              (error as NodeJS.ErrnoException).code === 'ENOENT' ||
              (error as NodeJS.ErrnoException).code === 'EISDIR'
            if (!gone || paths.includes(file)) throw unreadable(file, error)
          }
        }
      }
      return files
    },
    async watch(changed) {
      const { watch } = await import('chokidar')
      let unwatch = (): Promise<void> => Promise.resolve()
      let back: NodeJS.Timeout | undefined
      let closed = false
      const nameOf = namer(paths)
      const begin = async (): Promise<void> => {
        const watcher = watch([...paths], { ignoreInitial: true, depth: 1, followSymlinks: true })
        unwatch = () => watcher.close()
        watcher.on('all', (event, path) => {
          changed(nameOf(path))
          if ((event === 'unlink' || event === 'unlinkDir') && paths.includes(path)) again()
        })
        // Running out of watches must not end a speaker: what runs goes on, only edits are no longer seen at once.
        watcher.on('error', () => changed())
        await new Promise<void>(resolve => watcher.once('ready', () => resolve()))
      }
      // A watch belongs to a folder, not to its name: when the name has gone, what comes back under it is another folder.
      const again = (): void => {
        back ??= setInterval(() => {
          if (!paths.every(path => existsSync(path))) return
          clearInterval(back)
          back = undefined
          void unwatch()
            .then(() => (closed ? undefined : begin()))
            .then(() => changed())
        }, gonePollMs)
      }
      await begin()
      return () => {
        closed = true
        clearInterval(back)
        return unwatch()
      }
    },
    async full(path) {
      try {
        const { blocks, bavail } = await statfs(path)
        if (blocks === 0 || bavail > 0) return false
        // Images that are only for reading never have room, and nobody writes to them.
        await access(path, constants.W_OK)
        return true
      } catch (error) {
        return (error as NodeJS.ErrnoException).code === 'EACCES'
      }
    },
  }
}
