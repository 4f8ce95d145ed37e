// Bundles the page into dist/bundle: a document, a script, a style sheet and an icon. Fails where they have grown too large.
import { copyFileSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

/** Bytes that all files may have together. */
const most = 150_000

const at = (...parts) => join(fileURLToPath(new URL('..', import.meta.url)), ...parts)
const out = at('dist/bundle')

mkdirSync(out, { recursive: true })
await build({
  absWorkingDir: at(),
  entryPoints: [
    { in: 'src/page/main.tsx', out: 'page' },
    { in: 'src/page/style/page.css', out: 'page' },
  ],
  outdir: out,
  bundle: true,
  format: 'esm',
  target: ['chrome123', 'firefox120', 'safari17.5'],
  minify: true,
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'eof',
  logLevel: 'warning',
})
for (const name of ['index.html', 'icon.svg']) copyFileSync(at('src/page', name), join(out, name))

const bytes = readdirSync(out).reduce((sum, name) => sum + statSync(join(out, name)).size, 0)
if (bytes > most) {
  console.error(`The page has ${bytes} bytes: at most ${most} are allowed.`)
  process.exitCode = 1
}
