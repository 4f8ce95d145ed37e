import { equal } from '../api/equal.ts'
import { Emptier } from '../controllers/emptier.ts'
import { GarbageCollector } from '../controllers/garbage.ts'
import type { Definition } from '../custom/definition.ts'
import { typesOf } from '../custom/types-of.ts'
import type { ApiType } from '../kinds/api-type.ts'
import type { Machinery } from '../registry/machinery.ts'

/**
 * Serves custom resources as soon as they are defined; and does, if `controllers`, what controllers do beside an API server.
 * `redefined` is told of resources that are served otherwise from now on, or not any more.
 */
export function control(
  machinery: Machinery,
  controllers: boolean,
  redefined: (collection: string) => void,
): void {
  const { store, types } = machinery
  const garbage = new GarbageCollector(machinery)
  const emptier = new Emptier(machinery, controllers)
  const followed = new Set<string>()
  const follow = (type: ApiType): void => {
    if (type.stored !== undefined || followed.has(type.collection)) return
    followed.add(type.collection)
    store.collection(type.collection).subscribe(change => {
      // The definition may have changed since.
      const current = types.find(type.group, type.version, type.plural) ?? type
      if (controllers) garbage.changed(current, change)
      if (change.type === 'DELETED' || change.current.object.metadata.deletionTimestamp !== undefined)
        emptier.changed()
    })
  }
  for (const type of types.all()) follow(type)
  store.collection('customresourcedefinitions.apiextensions.k8s.io').subscribe(change => {
    const definition = change.current.object as Definition
    const name = definition.metadata.name as string
    const collection = `${definition.spec.names.plural}.${definition.spec.group}`
    if (change.type === 'DELETED') {
      types.undefine(name)
      redefined(collection)
      return
    }
    const before = change.previous?.object as Definition | undefined
    if (before !== undefined && equal(before.spec, definition.spec)) return
    if (before !== undefined) redefined(collection)
    const defined = typesOf(definition)
    types.define(name, defined)
    for (const type of defined) follow(type.stored ?? type)
  })
}
