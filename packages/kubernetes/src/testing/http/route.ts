import { badRequest } from '../api/status.ts'

/** What a path leads to. */
export type Route =
  | {
      readonly to: 'resource'
      readonly group: string
      readonly version: string
      readonly plural: string
      readonly namespace?: string
      readonly name?: string
      readonly subresource?: string
    }
  | { readonly to: 'versions' }
  | { readonly to: 'groups' }
  | { readonly to: 'group'; readonly group: string }
  | { readonly to: 'resources'; readonly group: string; readonly version: string }
  | { readonly to: 'other'; readonly path: string }

/** Reads a path of the API; paths are those that the API server documents. @throws Refusal 400 */
export function route(path: string): Route {
  const [root = '', ...rest] = parts(path)
  if (root === 'api') {
    const [version, ...below] = rest
    if (version === undefined) return { to: 'versions' }
    return version === 'v1' ? inVersion('', version, below) : { to: 'other', path }
  }
  if (root === 'apis') {
    const [group, version, ...below] = rest
    if (group === undefined) return { to: 'groups' }
    return version === undefined ? { to: 'group', group } : inVersion(group, version, below)
  }
  return { to: 'other', path }
}

/** @throws Refusal 400 */
function parts(path: string): readonly string[] {
  try {
    return path
      .split('/')
      .filter(part => part !== '')
      .map(decodeURIComponent)
  } catch {
    throw badRequest(`the path ${path} is not encoded as paths are`)
  }
}

function inVersion(group: string, version: string, below: readonly string[]): Route {
  if (below.length === 0) return { to: 'resources', group, version }
  const [first, namespace, plural, name, ...deeper] = below
  // Below a namespace come its resources; but these two are parts of the namespace itself.
  if (first === 'namespaces' && namespace !== undefined && plural !== undefined) {
    const own = group === '' && (plural === 'status' || plural === 'finalize') && name === undefined
    if (!own) return resource({ group, version, plural, namespace }, name, deeper)
  }
  return resource(
    { group, version, plural: first as string },
    namespace,
    plural === undefined ? [] : [plural],
  )
}

function resource(
  base: { group: string; version: string; plural: string; namespace?: string },
  name: string | undefined,
  deeper: readonly string[],
): Route {
  return {
    to: 'resource',
    ...base,
    ...(name === undefined ? {} : { name }),
    ...(deeper.length === 0 ? {} : { subresource: deeper.join('/') }),
  }
}
