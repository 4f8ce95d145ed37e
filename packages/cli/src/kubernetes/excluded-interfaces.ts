import { CarillonError } from '@carillon/core'
import { optionalFile } from './pod.ts'

/** Where MetalLB's ConfigMap `metallb-excludel2` is mounted. */
export const excludeFile = '/etc/metallb/excludel2.yaml'

/** The patterns of interfaces never to announce on, as MetalLB's file has them; undefined without the file. Throws `USAGE`. */
export async function excludedInterfaces(path: string = excludeFile): Promise<readonly string[] | undefined> {
  const text = await optionalFile(path)
  if (text === undefined) return undefined
  // Most clusters have no such file, and need no reader of YAML.
  const { parse } = await import('yaml')
  let patterns: unknown
  try {
    patterns = (parse(text) as { announcedInterfacesToExclude?: unknown } | null)
      ?.announcedInterfacesToExclude
  } catch (error) {
    throw new CarillonError('USAGE', `${path} is not valid YAML: ${(error as Error).message}`, { path })
  }
  if (!Array.isArray(patterns) || !patterns.every(one => typeof one === 'string'))
    throw new CarillonError('USAGE', `${path}: announcedInterfacesToExclude must be a list of patterns`, {
      path,
    })
  return patterns
}
