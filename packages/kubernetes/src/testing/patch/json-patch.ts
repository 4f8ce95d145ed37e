import { clone } from '../api/clone.ts'
import { equal } from '../api/equal.ts'
import { isFields } from '../api/object.ts'
import { badRequest, type Refusal, refusedAs } from '../api/status.ts'

interface Operation {
  readonly op: string
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

const cannot = (why: string): Refusal =>
  refusedAs(422, 'Invalid', `the server rejected our request due to an error in our request: ${why}`)

/** A value with a JSON patch (RFC 6902) applied; it may be changed in place. @throws Refusal 400, 422 */
export function jsonPatch(value: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) throw badRequest('a JSON patch is a list of operations')
  const root = { '': value }
  for (const operation of patch as readonly Operation[]) {
    if (typeof operation?.op !== 'string' || typeof operation.path !== 'string')
      throw badRequest('every operation of a JSON patch has an op and a path')
    run(root, operation)
  }
  return root['']
}

function run(root: object, { op, path, from, value }: Operation): void {
  switch (op) {
    case 'add':
      put(at(root, path), clone(value), true)
      return
    case 'replace': {
      const place = at(root, path)
      if (read(place) === undefined) throw cannot(`replace: there is nothing at ${path}`)
      put(place, clone(value), false)
      return
    }
    case 'remove': {
      take(at(root, path), path)
      return
    }
    case 'move':
      put(at(root, path), take(at(root, from ?? ''), from ?? ''), true)
      return
    case 'copy': {
      const copied = read(at(root, from ?? ''))
      if (copied === undefined) throw cannot(`copy: there is nothing at ${from}`)
      put(at(root, path), clone(copied), true)
      return
    }
    case 'test':
      if (!equal(read(at(root, path)) ?? null, value ?? null)) throw cannot(`test: ${path} is another value`)
      return
    default:
      throw badRequest(`unknown operation of a JSON patch: ${op}`)
  }
}

/** Where a pointer leads: a container, and the key in it. */
interface Place {
  readonly holder: unknown
  readonly key: string
}

function at(root: object, pointer: string): Place {
  if (pointer !== '' && !pointer.startsWith('/')) throw badRequest(`not a JSON pointer: ${pointer}`)
  const keys = pointer.split('/').map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  const key = keys.pop() as string
  let holder: unknown = root
  for (const one of keys) {
    holder = read({ holder, key: one })
    if (holder === undefined) throw cannot(`there is nothing at ${one} of ${pointer}`)
  }
  return { holder, key }
}

const indexOf = (list: readonly unknown[], key: string): number =>
  /^(0|[1-9]\d*)$/.test(key) ? Number(key) : list.length

function read({ holder, key }: Place): unknown {
  if (Array.isArray(holder)) return holder[indexOf(holder, key)]
  return isFields(holder) ? holder[key] : undefined
}

function put({ holder, key }: Place, value: unknown, insert: boolean): void {
  if (Array.isArray(holder)) {
    const index = indexOf(holder, key)
    if (index > holder.length || (key !== '-' && !/^\d+$/.test(key)))
      throw cannot(`${key} is no place in the list`)
    holder.splice(index, insert ? 0 : 1, value)
  } else if (isFields(holder)) holder[key] = value
  else throw cannot(`${key} is not within an object or a list`)
}

function take(place: Place, path: string): unknown {
  const value = read(place)
  const { holder, key } = place
  if (value === undefined) throw cannot(`remove: there is nothing at ${path}`)
  if (Array.isArray(holder)) holder.splice(Number(key), 1)
  else delete (holder as Record<string, unknown>)[key]
  return value
}
