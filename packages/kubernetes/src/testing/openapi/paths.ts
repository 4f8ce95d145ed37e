import type { Fields } from '../api/object.ts'
import type { ApiType } from '../kinds/api-type.ts'

/** The query of a request that writes. */
const writing = ['dryRun', 'fieldManager', 'fieldValidation']

/** The path of a collection, as documents about the API write it. */
function collectionPath({ group, version, plural, namespaced }: ApiType): string {
  const base = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  return `${base}${namespaced ? '/namespaces/{namespace}' : ''}/${plural}`
}

/** What can be asked at which path. `parameter` makes a parameter of a query from its name. */
export function paths(
  types: readonly ApiType[],
  parameter: (name: string) => Fields,
): Readonly<Record<string, Fields>> {
  const found: Record<string, Fields> = {}
  for (const type of types) {
    const { group, version, kind } = type
    const operation = (action: string, names: readonly string[]): Fields => ({
      parameters: names.map(parameter),
      responses: { '200': { description: 'OK' } },
      'x-kubernetes-action': action,
      'x-kubernetes-group-version-kind': { group, version, kind },
    })
    const path = collectionPath(type)
    found[path] = { get: operation('list', []), post: operation('post', writing) }
    found[`${path}/{name}`] = {
      get: operation('get', []),
      put: operation('put', writing),
      patch: operation('patch', [...writing, 'force']),
      delete: operation('delete', ['dryRun']),
    }
  }
  return found
}
