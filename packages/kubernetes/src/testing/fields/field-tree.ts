/**
 * A set of fields of an object, in the notation of `fieldsV1`: `f:<name>` for a field, `k:<keys>` for an item of a map list, `v:<value>`
 * for one of a set. What has nothing below it is in the set, and so is what has `.` below it.
 */
export interface FieldTree {
  readonly [element: string]: FieldTree
}

type Open = Record<string, FieldTree>

const leaf: FieldTree = Object.freeze({})
const self = '.'

const isLeaf = (tree: FieldTree): boolean => {
  for (const _ in tree) return false
  return true
}

/** Whether nothing is in it. */
export const isEmpty = (tree: FieldTree): boolean => isLeaf(tree)

/** Whether the place that a tree stands for is in the set itself. */
const isMember = (tree: FieldTree): boolean => isLeaf(tree) || tree[self] !== undefined

/** What is in either. */
export function union(a: FieldTree, b: FieldTree): FieldTree {
  const result: Open = { ...a }
  for (const key in b) {
    const mine = a[key]
    const theirs = b[key] as FieldTree
    result[key] = mine === undefined ? theirs : joined(mine, theirs)
  }
  return result
}

function joined(a: FieldTree, b: FieldTree): FieldTree {
  if (isLeaf(a) && isLeaf(b)) return leaf
  const result = union(a, b) as Open
  if (isMember(a) || isMember(b)) result[self] = leaf
  return result
}

/** What is in the first and not in the second. */
export function difference(a: FieldTree, b: FieldTree): FieldTree {
  const result: Open = {}
  for (const key in a) {
    const mine = a[key] as FieldTree
    const theirs = b[key]
    if (theirs === undefined) {
      result[key] = mine
      continue
    }
    if (key === self) continue
    const left = remaining(mine, theirs, isMember(mine) && !isMember(theirs))
    if (left !== undefined) result[key] = left
  }
  return result
}

function remaining(mine: FieldTree, theirs: FieldTree, member: boolean): FieldTree | undefined {
  if (isLeaf(mine)) return member ? leaf : undefined
  const children = difference(without(mine), without(theirs))
  return withSelf(children, member)
}

/** What is in both. */
export function intersection(a: FieldTree, b: FieldTree): FieldTree {
  const result: Open = {}
  for (const key in a) {
    const mine = a[key] as FieldTree
    const theirs = b[key]
    if (theirs === undefined) continue
    if (key === self) {
      result[self] = leaf
      continue
    }
    const both = withSelf(intersection(without(mine), without(theirs)), isMember(mine) && isMember(theirs))
    if (both !== undefined) result[key] = both
  }
  return result
}

const without = (tree: FieldTree): FieldTree => {
  if (tree[self] === undefined) return tree
  const { [self]: _, ...rest } = tree
  return rest
}

function withSelf(children: FieldTree, member: boolean): FieldTree | undefined {
  if (isLeaf(children)) return member ? leaf : undefined
  return member ? { [self]: leaf, ...children } : children
}

/** The places in the set, as refusals name them: `.spec.ports[port=80,protocol="TCP"].name`. */
export function paths(tree: FieldTree, prefix = ''): readonly string[] {
  return Object.entries(tree).flatMap(([element, below]) => {
    if (element === self) return prefix === '' ? [] : [prefix]
    const path = `${prefix}${elementText(element)}`
    return isLeaf(below) ? [path] : paths(below, path)
  })
}

function elementText(element: string): string {
  const rest = element.slice(2)
  if (element.startsWith('f:')) return `.${rest}`
  if (element.startsWith('v:')) return `[=${rest}]`
  const keys = JSON.parse(rest) as Readonly<Record<string, unknown>>
  return `[${Object.entries(keys)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join(',')}]`
}
