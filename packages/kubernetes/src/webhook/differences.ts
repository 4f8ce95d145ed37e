import type { Problem } from '@carillon/core'

/** An index in a list may move by the very change that is looked at. */
const withoutIndexes = (text: string): string => text.replace(/\[\d+\]/g, '[]')

const keyOf = ({ kind, namespace, name, field, message }: Problem): string =>
  JSON.stringify([kind, namespace ?? '', name, withoutIndexes(field), withoutIndexes(message)])

/** Those of `after` that there were not before: each as often as it has come to be. */
export function added(before: readonly Problem[], after: readonly Problem[]): readonly Problem[] {
  const known = new Map<string, number>()
  for (const problem of before) known.set(keyOf(problem), (known.get(keyOf(problem)) ?? 0) + 1)
  return after.filter(problem => {
    const left = known.get(keyOf(problem)) ?? 0
    if (left > 0) known.set(keyOf(problem), left - 1)
    return left === 0
  })
}
