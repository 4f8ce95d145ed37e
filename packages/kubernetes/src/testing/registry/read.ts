import { badRequest, expired, notFound, tooLargeResourceVersion } from '../api/status.ts'
import { type ApiType, resourceOf } from '../kinds/api-type.ts'
import { Compacted } from '../store/collection.ts'
import { fieldSelector, labelSelector, type Matcher } from '../store/selector.ts'
import type { Stored } from '../store/stored.ts'
import type { Call } from './call.ts'
import { checkListOptions, type ListOptions, revisionOf, type Selection } from './list-options.ts'
import { collectionOf, type Machinery } from './machinery.ts'

/** A part of a collection, or all of it. */
export interface Listed {
  readonly revision: number
  readonly items: readonly Stored[]
  readonly continue?: string
  readonly remaining?: number
}

/** A single object as it is stored. @throws Refusal 404 */
export function get(machinery: Machinery, { type, namespace, name }: Call): Stored {
  const stored = collectionOf(machinery, type).get(namespace, name)
  if (stored === undefined) throw notFound(resourceOf(type), name)
  return stored
}

/** What a selection selects; `everything` when it has no conditions. @throws Refusal 400 */
export function matcher(
  type: ApiType,
  selection: Selection,
): { readonly everything: boolean; readonly matches: Matcher; readonly name: string | undefined } {
  const labels = labelSelector(selection.labelSelector)
  const fields = fieldSelector(selection.fieldSelector, {
    'metadata.name': object => object.metadata.name ?? '',
    'metadata.namespace': object => object.metadata.namespace ?? '',
    ...type.fields,
  })
  const everything = selection.labelSelector === '' && selection.fieldSelector === ''
  const none: Readonly<Record<string, string>> = {}
  return {
    everything,
    name: fields.name,
    matches: everything
      ? () => true
      : object => labels(object.metadata.labels ?? none) && fields.matches(object),
  }
}

/** The objects of a collection. @throws Refusal 400, 410, 504 */
export function list(machinery: Machinery, { type, namespace }: Call, options: ListOptions): Listed {
  const { store } = machinery
  const { everything, matches, name } = matcher(type, options)
  const token = options.continue === '' ? undefined : readToken(options.continue)
  if (token !== undefined && options.resourceVersion !== '' && options.resourceVersion !== '0')
    throw badRequest('specifying resource version is not allowed when using continue')
  const asked = revisionOf(options.resourceVersion)
  checkListOptions(options)
  if (asked !== undefined && asked > store.revision) throw tooLargeResourceVersion(asked, store.revision)
  const exact = token?.revision ?? (options.resourceVersionMatch === 'Exact' ? asked : undefined)
  const revision = exact ?? store.revision
  const collection = collectionOf(machinery, type)
  if (name !== undefined && namespace !== undefined && exact === undefined) {
    const one = collection.get(namespace, name)
    return { revision, items: one !== undefined && matches(one.object) ? [one] : [] }
  }
  const all = at(
    () => (exact === undefined ? collection.list(namespace) : collection.listAt(exact, namespace)),
    exact,
  )
  return page(all, { everything, matches, limit: options.limit, after: token?.key, revision })
}

function at(read: () => readonly Stored[], revision: number | undefined): readonly Stored[] {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof Compacted)) throw error
    throw expired(
      `The provided continue parameter or resource version is too old to display a consistent list result: ${revision} (${error.oldest}).`,
    )
  }
}

function page(
  all: readonly Stored[],
  {
    everything,
    matches,
    limit,
    after,
    revision,
  }: {
    readonly everything: boolean
    readonly matches: Matcher
    readonly limit: number
    readonly after: string | undefined
    readonly revision: number
  },
): Listed {
  const start = after === undefined ? 0 : firstAfter(all, after)
  if (limit === 0) {
    const rest = start === 0 ? all : all.slice(start)
    return { revision, items: everything ? rest : rest.filter(one => matches(one.object)) }
  }
  const items: Stored[] = []
  let index = start
  for (; index < all.length && items.length < limit; index++) {
    const one = all[index] as Stored
    if (matches(one.object)) items.push(one)
  }
  const more = everything ? index < all.length : all.slice(index).some(one => matches(one.object))
  if (!more) return { revision, items }
  const last = items.at(-1) as Stored
  return {
    revision,
    items,
    continue: writeToken({ revision, key: last.key }),
    ...(everything ? { remaining: all.length - index } : {}),
  }
}

function firstAfter(all: readonly Stored[], key: string): number {
  let low = 0
  let high = all.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((all[middle] as Stored).key <= key) low = middle + 1
    else high = middle
  }
  return low
}

interface Token {
  readonly revision: number
  readonly key: string
}

const writeToken = (token: Token): string => Buffer.from(JSON.stringify(token)).toString('base64url')

function readToken(text: string): Token {
  try {
    const { revision, key } = JSON.parse(Buffer.from(text, 'base64url').toString()) as Token
    if (typeof revision === 'number' && typeof key === 'string') return { revision, key }
  } catch {}
  throw badRequest('continue key is not valid')
}
