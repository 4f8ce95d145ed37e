// Packs and installs what this folder tests; once, and only what has changed.
import { packAndInstall } from '../../../scripts/lib/pack.mjs'

export default async function setup() {
  await packAndInstall()
}
