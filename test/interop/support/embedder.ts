import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const source = new URL('../programs/embedder.ts', import.meta.url)
const cache = new URL('../../../node_modules/.cache/carillon/', import.meta.url)

let path: Promise<string> | undefined

/** Path of `programs/embedder.ts` in JavaScript, which starts quickly, on the built packages. */
export function embedder(): Promise<string> {
  path ??= translate()
  return path
}

async function translate(): Promise<string> {
  const text = await readFile(source, 'utf8')
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 }
  const { outputText } = ts.transpileModule(text, { compilerOptions })
  const hash = createHash('sha256').update(outputText).digest('hex').slice(0, 16)
  // Below the project's own folder, where Node finds the packages.
  const file = fileURLToPath(new URL(`embedder-${hash}.mjs`, cache))
  const unfinished = `${file}.${process.pid}`
  await mkdir(cache, { recursive: true })
  await writeFile(unfinished, outputText)
  await rename(unfinished, file)
  return file
}
