import type { KubeObject } from '../api/object.ts'
import type { ApiType } from '../kinds/api-type.ts'

/** How much of each object a table carries beside its cells. */
export type IncludeObject = 'None' | 'Metadata' | 'Object'

/** The metadata of an object as an object of its own. */
export const partial = (object: KubeObject): object => ({
  kind: 'PartialObjectMetadata',
  apiVersion: 'meta.k8s.io/v1',
  metadata: object.metadata,
})

/** Objects as the table that `kubectl get` prints. */
export function table(
  type: ApiType,
  objects: readonly KubeObject[],
  options: {
    readonly metadata: object
    readonly include: IncludeObject
    readonly now: Date
    readonly headers: boolean
  },
): object {
  const { columns } = type
  const { metadata, include, now, headers } = options
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: headers
      ? columns.map(({ name, type: of, format = '', description, priority }) => ({
          name,
          type: of === 'date' ? 'date' : of,
          format,
          description,
          priority,
        }))
      : [],
    rows: objects.map(object => ({
      cells: columns.map(column => column.cell(object, { now })),
      ...(include === 'None' ? {} : { object: include === 'Object' ? object : partial(object) }),
    })),
  }
}
