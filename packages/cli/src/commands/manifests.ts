import { ManifestSource, manifestsOnDisk, type Snapshot, systemClock } from '@carillon/core'

/** Reads manifests once, without watching them. Throws `SOURCE_UNREADABLE`. */
export async function readManifests(paths: readonly string[]): Promise<Snapshot> {
  const files = manifestsOnDisk(paths)
  const source = new ManifestSource({
    files: { ...files, watch: async () => async () => {} },
    clock: systemClock,
    rereadMs: 0,
  })
  try {
    return await source.start()
  } finally {
    await source[Symbol.asyncDispose]()
  }
}
