import { fileURLToPath } from 'node:url'

/** Debian's kubectl, which is unpacked beside whatever this machine has (`scripts/lib/system-packages.mjs`); for `missing`, too. */
export const debianKubectl: string = fileURLToPath(
  new URL('../../node_modules/.cache/debian/kubernetes-client/usr/bin/kubectl', import.meta.url),
)
