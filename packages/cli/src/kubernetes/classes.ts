import type { ClassOptions } from '@carillon/core'

/**
 * What `--lb-class` says: a class, or `class,` (an empty name beside it) for that class and Services without one; empty or absent: those
 * without one.
 */
export function parseClass(text: string | undefined): ClassOptions {
  const names = (text ?? '').split(',').map(name => name.trim())
  const loadBalancerClass = names.find(name => name !== '')
  if (loadBalancerClass === undefined) return {}
  return { loadBalancerClass, alsoUnclassed: names.includes('') }
}
