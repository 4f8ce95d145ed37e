import { createHash } from 'node:crypto'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const programs = new URL('../programs/', import.meta.url)
const cache = new URL('../../../node_modules/.cache/carillon/', import.meta.url)

const paths = new Map<string, Promise<string>>()

/** Path of a program of `programs/` in JavaScript, which starts quickly, on the built packages. Its name has no ending. */
export function translated(name: string): Promise<string> {
  let path = paths.get(name)
  if (!path) {
    path = translate(name)
    paths.set(name, path)
  }
  return path
}

async function translate(name: string): Promise<string> {
  const text = await readFile(new URL(`${name}.ts`, programs), 'utf8')
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 }
  const { outputText } = ts.transpileModule(text, { compilerOptions })
  const hash = createHash('sha256').update(outputText).digest('hex').slice(0, 16)
  // Below the project's own folder, where Node finds the packages.
  const file = fileURLToPath(new URL(`${name}-${hash}.mjs`, cache))
  const unfinished = `${file}.${process.pid}`
  await mkdir(cache, { recursive: true })
  await writeFile(unfinished, outputText)
  await rename(unfinished, file)
  return file
}
