import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { NewObject } from '@carillon/kubernetes/testing'
import ts from 'typescript'

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))

/** Where the model of a kind is, of Kubernetes itself or of the Prometheus operator. */
const moduleOf = ({ apiVersion, kind }: NewObject): string =>
  apiVersion.startsWith('monitoring.coreos.com/')
    ? `@kubernetes-models/prometheus-operator/${apiVersion}/${kind}`
    : `kubernetes-models/${apiVersion}/${kind}`

/** Whether an object is of a kind that is not ours, so that others have published what is in it. */
export const isPublished = ({ apiVersion }: NewObject): boolean =>
  !/^(metallb|carillon)\.io\//.test(apiVersion)

const nameOf = ({ kind, metadata }: NewObject): string => `${kind} ${metadata?.name}`

interface Model {
  validate(): void
}

/** What is wrong with objects by the published schemas: types, required fields, formats, words of which only some are allowed. */
export async function schemaProblems(objects: readonly NewObject[]): Promise<readonly string[]> {
  const found: string[] = []
  for (const object of objects) {
    const { [object.kind]: Kind } = (await import(moduleOf(object))) as Record<
      string,
      new (
        object: NewObject,
      ) => Model
    >
    if (Kind === undefined) throw new Error(`there is no schema of ${object.apiVersion} ${object.kind}`)
    try {
      new Kind(object).validate()
    } catch (error) {
      found.push(`${nameOf(object)}: ${(error as Error).message}`)
    }
  }
  return found
}

/** Fields of objects that nobody knows, which schemas let pass: what the compiler says of them as literals of the published types. */
export function unknownFields(objects: readonly NewObject[]): readonly string[] {
  const home = mkdtempSync(join(tmpdir(), 'carillon-'))
  const path = join(home, 'objects.ts')
  const lines = objects.map((object, index) => {
    const type = `import('${moduleOf(object)}').I${object.kind}`
    return `export const object${index}: ${type} = ${JSON.stringify(object)}`
  })
  try {
    symlinkSync(modules, join(home, 'node_modules'))
    writeFileSync(path, lines.join('\n'))
    const program = ts.createProgram([path], {
      module: ts.ModuleKind.ESNext,
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      noEmit: true,
      skipLibCheck: true,
      strict: true,
      target: ts.ScriptTarget.ES2022,
      types: [],
    })
    const source = program.getSourceFile(path)
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      one => {
        const line =
          one.start === undefined ? 0 : (source?.getLineAndCharacterOfPosition(one.start).line ?? 0)
        const text = ts.flattenDiagnosticMessageText(one.messageText, ' ')
        return `${nameOf(objects[line] as NewObject)}: ${text}`
      },
    )
  } finally {
    rmSync(home, { recursive: true })
  }
}
