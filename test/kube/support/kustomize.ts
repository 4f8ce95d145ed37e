import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { NewObject } from '@carillon/kubernetes/testing'
import { parseAllDocuments } from 'yaml'

const folder = fileURLToPath(new URL('../../../deploy/kustomize/', import.meta.url))

/** The objects that a folder below deploy/kustomize (or elsewhere, by its whole path) stands for. @throws Error where kustomize refuses it */
export function kustomized(path: string): readonly NewObject[] {
  const from = path.startsWith('/') ? path : `${folder}${path}`
  const { status, stdout, stderr } = spawnSync('kubectl', ['kustomize', from], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  if (status !== 0) throw new Error(`kubectl kustomize ${path}: ${stderr}`)
  return parseAllDocuments(stdout).map(document => document.toJS() as NewObject)
}
