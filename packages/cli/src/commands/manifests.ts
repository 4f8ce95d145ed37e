import { ManifestSource, manifestsOnDisk, type Snapshot, systemClock } from '@carillon/core'
import { PasswordFiles } from '../password-files.ts'
import { withPasswords } from '../password-source.ts'

/**
 * Reads manifests once, without watching them, and passwords of BGP peers, each given as `PEER=FILE`. Throws `SOURCE_UNREADABLE`, and
 * `USAGE` where it is not given so.
 */
export async function readManifests(
  paths: readonly string[],
  passwordFiles: readonly string[] = [],
): Promise<Snapshot> {
  const passwords = new PasswordFiles(passwordFiles)
  const files = manifestsOnDisk(paths)
  const source = new ManifestSource({
    files: { ...files, watch: async () => async () => {} },
    clock: systemClock,
    rereadMs: 0,
  })
  try {
    return withPasswords(await source.start(), await passwords.read())
  } finally {
    await source[Symbol.asyncDispose]()
  }
}
