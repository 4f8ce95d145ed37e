import { splitApiVersion } from '../api/object.ts'
import type { ApiType } from './api-type.ts'

/** Every resource that is served, in every version. */
export class TypeRegistry {
  readonly #byPath = new Map<string, ApiType>()
  readonly #byKind = new Map<string, ApiType>()
  #types: readonly ApiType[] = []

  constructor(types: readonly ApiType[]) {
    for (const type of types) this.#add(type)
  }

  #add(type: ApiType): void {
    this.#byPath.set(`${type.group}/${type.version}/${type.plural}`, type)
    this.#byKind.set(`${type.group}/${type.version}/${type.kind}`, type)
    this.#types = [...this.#byPath.values()]
  }

  /** By what stands in a path. */
  find(group: string, version: string, plural: string): ApiType | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`)
  }

  /** By what stands in an object. */
  ofKind(apiVersion: string, kind: string): ApiType | undefined {
    const { group, version } = splitApiVersion(apiVersion)
    return this.#byKind.get(`${group}/${version}/${kind}`)
  }

  /** All of them; a new list whenever something changed. */
  all(): readonly ApiType[] {
    return this.#types
  }

  /** Puts the versions of a custom resource in the place of those that there were. */
  define(custom: string, types: readonly ApiType[]): void {
    this.undefine(custom)
    for (const type of types) this.#add(type)
  }

  /** Serves a custom resource no longer. */
  undefine(custom: string): void {
    for (const [map, keyed] of [
      [this.#byPath, (type: ApiType) => type.plural],
      [this.#byKind, (type: ApiType) => type.kind],
    ] as const)
      for (const type of [...map.values()])
        if (type.custom === custom) map.delete(`${type.group}/${type.version}/${keyed(type)}`)
    this.#types = [...this.#byPath.values()]
  }

  /** The groups that are served, with their versions, the preferred one first. */
  groups(): ReadonlyMap<string, readonly string[]> {
    const groups = new Map<string, string[]>()
    for (const { group, version } of this.#types) {
      const versions = groups.get(group) ?? []
      if (!versions.includes(version)) versions.push(version)
      groups.set(group, versions)
    }
    for (const versions of groups.values()) versions.sort(byVersion)
    return groups
  }
}

const shape = /^v(\d+)(?:(alpha|beta)(\d+))?$/

/** Stable before beta before alpha, newer before older, anything else behind. */
function byVersion(a: string, b: string): number {
  const [left, right] = [shape.exec(a), shape.exec(b)]
  if (left === null || right === null) return left === right ? a.localeCompare(b) : left === null ? 1 : -1
  const rank = (found: RegExpExecArray): number => ({ alpha: 0, beta: 1 })[found[2] ?? ''] ?? 2
  return (
    rank(right) - rank(left) ||
    Number(right[1]) - Number(left[1]) ||
    Number(right[3] ?? 0) - Number(left[3] ?? 0)
  )
}
