import type { Pool, Selector } from '../config/config.ts'

const texts = (selectors: readonly Selector[]): string => JSON.stringify(selectors.map(({ text }) => text))

const rules = ({ serviceAllocation: one }: Pool): string =>
  one === undefined
    ? ''
    : JSON.stringify([
        one.priority,
        one.anyNamespace,
        [...one.namespaces].sort(),
        texts(one.namespaceSelectors),
        texts(one.serviceSelectors),
      ])

const samePool = (a: Pool, b: Pool): boolean =>
  a === b ||
  (a.name === b.name &&
    a.autoAssign === b.autoAssign &&
    a.avoidBuggyIPs === b.avoidBuggyIPs &&
    a.ranges.length === b.ranges.length &&
    a.ranges.every((range, i) => {
      const other = b.ranges[i]
      return (
        other && range.family === other.family && range.first === other.first && range.last === other.last
      )
    }) &&
    rules(a) === rules(b))

/** Whether two lists of pools give the same addresses to the same Services; their advertisements do not matter. */
export const samePools = (a: readonly Pool[], b: readonly Pool[]): boolean =>
  a === b || (a.length === b.length && a.every((pool, i) => samePool(pool, b[i] as Pool)))
