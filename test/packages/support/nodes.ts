/** A release of Node to try something under. */
export interface NodeRelease {
  readonly release: string
  /** Of its program; fetched the first time. */
  path(): Promise<string>
}

interface NodeBinaries {
  readonly otherReleases: readonly string[]
  nodeBinary(release: string): Promise<{ readonly path?: string; readonly reason?: string }>
}

const binaries = (await import(
  new URL('../../../scripts/lib/node-binaries.mjs', import.meta.url).href
)) as NodeBinaries

async function fetched(release: string): Promise<string> {
  const { path, reason } = await binaries.nodeBinary(release)
  if (path === undefined) throw new Error(reason)
  return path
}

/** The Node that runs the tests, and one of each other line that the packages promise to work under. */
export const nodes: readonly NodeRelease[] = [
  { release: process.versions.node, path: async () => process.execPath },
  ...binaries.otherReleases.map(release => ({ release, path: () => fetched(release) })),
]
