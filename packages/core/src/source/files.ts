import type { ManifestFile } from './manifest.ts'

/** Files that can be read and watched: the disk, or anything that a test makes up. */
export interface ManifestFiles {
  /** Every manifest file, in a fixed order. Rejects with `SOURCE_UNREADABLE` when a path that was asked for is not there. */
  read(): Promise<readonly ManifestFile[]>
  /** Calls back when anything may have changed, with the path of a manifest where it is just that; returns how to stop. */
  watch(changed: (path?: string) => void): Promise<() => Promise<void>>
  /** Whether who writes this file now may find no room for all of it. Where it is not given, there always is. */
  full?(path: string): Promise<boolean>
}
