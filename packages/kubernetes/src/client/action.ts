import { type ResourceType, resourceName } from './resource-type.ts'

/** What is asked of the API server, in the words of RBAC. */
export interface Action {
  readonly verb: 'list' | 'watch' | 'get' | 'create' | 'update' | 'patch' | 'delete'
  readonly type: ResourceType
  /** Absent: all namespaces, or a kind that has none. */
  readonly namespace?: string | undefined
  readonly name?: string
  readonly subresource?: string
}

/** What it is asked of: `ipaddresspools.metallb.io in metallb-system`, `services/status default/web`. */
export function describeObject({ type, namespace, name, subresource }: Action): string {
  const resource = resourceName(type) + (subresource === undefined ? '' : `/${subresource}`)
  if (name !== undefined) return `${resource} ${namespace === undefined ? name : `${namespace}/${name}`}`
  if (namespace !== undefined) return `${resource} in ${namespace}`
  return type.namespaced ? `${resource} in all namespaces` : resource
}

/** `list ipaddresspools.metallb.io in metallb-system` */
export const describeAction = (action: Action): string => `${action.verb} ${describeObject(action)}`

/** The path of its URL. */
export function pathOf({ type, namespace, name, subresource }: Action): string {
  const { group, version, plural } = type
  const parts = group === '' ? ['api', version] : ['apis', group, version]
  if (namespace !== undefined) parts.push('namespaces', namespace)
  parts.push(plural)
  if (name !== undefined) parts.push(name)
  if (subresource !== undefined) parts.push(subresource)
  return `/${parts.map(encodeURIComponent).join('/')}`
}

/** A query string with its `?`, or nothing; undefined values are left out. */
export function queryOf(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined)
  if (given.length === 0) return ''
  return `?${given.map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`).join('&')}`
}
