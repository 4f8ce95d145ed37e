import { spawnSync } from 'node:child_process'
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { NewObject } from '@carillon/kubernetes/testing'
import { parseAllDocuments } from 'yaml'
import { clusterProgram } from '../../support/cluster-programs.ts'

const folder = fileURLToPath(new URL('../../../deploy/kustomize/', import.meta.url))

/** What was made already: folders do not change while tests run. */
const texts = new Map<string, string>()

/** What kustomize makes of a folder below deploy/kustomize, or elsewhere, by its whole path. @throws Error where kustomize refuses it */
export function kustomizedText(path: string): string {
  const known = texts.get(path)
  if (known !== undefined) return known
  const from = path.startsWith('/') ? path : `${folder}${path}`
  const { status, stdout, stderr } = spawnSync(clusterProgram('kubectl'), ['kustomize', from], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  if (status !== 0) throw new Error(`kubectl kustomize ${path}: ${stderr}`)
  texts.set(path, stdout)
  return stdout
}

/** The objects in a text of YAML documents. */
export const objectsOf = (text: string): readonly NewObject[] =>
  parseAllDocuments(text)
    .map(document => document.toJS() as NewObject | null)
    .filter(object => object !== null)

/** The objects that such a folder stands for. @throws Error where kustomize refuses it */
export const kustomized = (path: string): readonly NewObject[] => objectsOf(kustomizedText(path))

/** The objects of the base with some of its components. */
export function withComponents(...names: readonly string[]): readonly NewObject[] {
  const home = mkdtempSync(join(tmpdir(), 'carillon-'))
  const [base, ...components] = ['base', ...names.map(name => `components/${name}`)].map(name =>
    relative(realpathSync(home), join(folder, name)),
  )
  const kind = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' }
  writeFileSync(join(home, 'kustomization.yaml'), JSON.stringify({ ...kind, resources: [base], components }))
  try {
    return kustomized(home)
  } finally {
    rmSync(home, { recursive: true })
  }
}
