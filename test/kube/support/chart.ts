import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { NewObject } from '@carillon/kubernetes/testing'
import { clusterProgram } from '../../support/cluster-programs.ts'
import { objectsOf } from './kustomize.ts'

/** The folder of Helm's chart. */
export const chartFolder: string = fileURLToPath(new URL('../../../deploy/helm/carillon', import.meta.url))

/** What Helm says to these words. */
export function helm(words: readonly string[], input = '') {
  const { status, stdout, stderr } = spawnSync(clusterProgram('helm'), words, {
    encoding: 'utf8',
    input,
    maxBuffer: 1 << 26,
  })
  return { code: status, out: stdout, err: stderr }
}

/** The same, while this process goes on: for what asks a server that runs in it. */
export async function helmAsync(words: readonly string[]) {
  const child = spawn(clusterProgram('helm'), words)
  let [out, err] = ['', '']
  child.stdout.on('data', chunk => {
    out += chunk
  })
  child.stderr.on('data', chunk => {
    err += chunk
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  return { code, out, err }
}

/** The text that Helm makes of the chart with these values. @throws Error with Helm's words where it refuses them */
export function renderedText(values: object = {}, namespace = 'metallb-system'): string {
  const words = ['template', 'carillon', chartFolder, '--namespace', namespace, '--values', '-']
  const { code, out, err } = helm(words, JSON.stringify(values))
  if (code !== 0) throw new Error(err)
  return out
}

/** The objects in it. */
export const rendered = (values: object = {}, namespace?: string): readonly NewObject[] =>
  objectsOf(renderedText(values, namespace))
