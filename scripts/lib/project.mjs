import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root folder, without a slash at its end. */
export const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/[\\/]$/, '')

/** The absolute path of something in the repository. */
export const at = (...parts) => join(root, ...parts)

export const readJson = path => JSON.parse(readFileSync(path, 'utf8'))

/** The root package.json. */
export const manifest = readJson(at('package.json'))

/** Where this repository's tools keep what they can make again. */
export const cache = (...parts) => at('node_modules', '.cache', ...parts)
