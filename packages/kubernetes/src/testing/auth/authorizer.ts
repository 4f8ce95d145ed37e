import { type Fields, fieldsOf, type KubeObject, listOf } from '../api/object.ts'
import type { User } from '../registry/call.ts'
import type { Store } from '../store/store.ts'

/** What somebody wants to do: with a resource, or with a path that is none. */
export type Action =
  | {
      readonly verb: string
      readonly group: string
      /** With its subresource, as in `services/status`. */
      readonly resource: string
      readonly namespace: string | undefined
      readonly name: string
    }
  | { readonly verb: string; readonly path: string }

const group = 'rbac.authorization.k8s.io'

/** Decides by the roles in the store who may do what, as RBAC does. */
export class Authorizer {
  readonly #store: Store
  readonly #everything: boolean

  /** `everything`: everybody may do everything, whatever the roles say. */
  constructor(store: Store, everything: boolean) {
    this.#store = store
    this.#everything = everything
  }

  /** Whether a user may do it. */
  allows(user: User, action: Action): boolean {
    if (this.#everything || user.groups.includes('system:masters')) return true
    return this.rules(user, 'path' in action ? undefined : action.namespace).some(rule =>
      grants(rule, action),
    )
  }

  /** All rules that hold for a user: across the cluster, and in one namespace. */
  rules(user: User, namespace: string | undefined): readonly Fields[] {
    const found: Fields[] = []
    const collect = (
      bindings: readonly { readonly object: KubeObject }[],
      inside: string | undefined,
    ): void => {
      for (const { object } of bindings)
        if (listOf(object.subjects).some(subject => isSubject(fieldsOf(subject), user, inside)))
          found.push(...this.#rulesOf(fieldsOf(object.roleRef), inside))
    }
    collect(this.#store.collection(`clusterrolebindings.${group}`).list(), undefined)
    if (namespace !== undefined)
      collect(this.#store.collection(`rolebindings.${group}`).list(namespace), namespace)
    return found
  }

  #rulesOf({ kind, name }: Fields, namespace: string | undefined): readonly Fields[] {
    const inside = kind === 'Role' ? namespace : undefined
    const role = this.#store
      .collection(`${kind === 'Role' ? 'roles' : 'clusterroles'}.${group}`)
      .get(inside, String(name))
    return listOf(role?.object.rules).map(fieldsOf)
  }
}

function isSubject({ kind, name, namespace }: Fields, user: User, inside: string | undefined): boolean {
  switch (kind) {
    case 'User':
      return name === user.name
    case 'Group':
      return user.groups.includes(String(name))
    case 'ServiceAccount':
      return user.name === `system:serviceaccount:${String(namespace ?? inside ?? '')}:${String(name)}`
    default:
      return false
  }
}

const covers = (list: unknown, value: string): boolean =>
  listOf(list).some(one => one === '*' || one === value)

function grants(rule: Fields, action: Action): boolean {
  if (!covers(rule.verbs, action.verb)) return false
  if ('path' in action)
    return listOf(rule.nonResourceURLs).some(
      url =>
        url === '*' ||
        url === action.path ||
        (typeof url === 'string' && url.endsWith('*') && action.path.startsWith(url.slice(0, -1))),
    )
  const names = listOf(rule.resourceNames)
  const [, subresource] = action.resource.split('/')
  return (
    covers(rule.apiGroups, action.group) &&
    (covers(rule.resources, action.resource) ||
      (subresource !== undefined && listOf(rule.resources).includes(`*/${subresource}`))) &&
    (names.length === 0 || (action.name !== '' && names.includes(action.name)))
  )
}

/** Why a request is refused, in the words of the API server. */
export function refusalText(user: User, action: Action): string {
  if ('path' in action) return `User "${user.name}" cannot ${action.verb} path "${action.path}"`
  const { verb, resource, namespace } = action
  const where = namespace === undefined ? 'at the cluster scope' : `in the namespace "${namespace}"`
  return `User "${user.name}" cannot ${verb} resource "${resource}" in API group "${action.group}" ${where}`
}
