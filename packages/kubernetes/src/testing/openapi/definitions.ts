import type { Fields } from '../api/object.ts'
import type { ApiType } from '../kinds/api-type.ts'
import { modelSchema } from '../schema/builtin.ts'
import type { Schema } from '../schema/schema.ts'

const metadataModel = 'V1ObjectMeta'

/** The name of a model among the definitions: that of its type comes last, as `kubectl explain` expects. */
function modelName(model: string): string {
  const [, group = '', version = '', kind = model] = /^([A-Z][a-z]+)?V(\d+)(.+)$/.exec(model) ?? []
  return `io.k8s.api.${group === '' ? '' : `${group.toLowerCase()}.`}v${version}.${kind}`
}

/** The name of a type among the definitions. */
const definitionName = ({ schema, custom, group, version, kind }: ApiType): string =>
  custom === undefined && schema.model !== undefined
    ? modelName(schema.model)
    : `${group.split('.').reverse().join('.')}.${version}.${kind}`

/** What every type is defined as, and all that these are made of; `reference` says where definitions are. */
export function definitions(types: readonly ApiType[], reference: string): Readonly<Record<string, Fields>> {
  const found: Record<string, Fields> = {}
  const queue: Schema[] = [modelSchema(metadataModel)]
  const refer = (schema: Schema): Fields => {
    queue.push(schema)
    return { $ref: `${reference}${modelName(schema.model as string)}` }
  }
  for (const type of types) {
    const { group, version, kind, schema, custom } = type
    const definition = custom === undefined ? whole(schema, refer) : customDefinition(schema, refer)
    definition['x-kubernetes-group-version-kind'] = [{ group, version, kind }]
    found[definitionName(type)] = definition
  }
  for (let schema = queue.pop(); schema !== undefined; schema = queue.pop()) {
    const name = modelName(schema.model as string)
    found[name] ??= whole(schema, refer)
  }
  return found
}

type Refer = (schema: Schema) => Fields

const part = (schema: Schema, refer: Refer): Fields =>
  schema.model === undefined ? whole(schema, refer) : refer(schema)

/** Keywords that OpenAPI has as well. */
const kept = [
  'description',
  'format',
  'default',
  'enum',
  'maximum',
  'minimum',
  'maxLength',
  'minLength',
  'pattern',
  'maxItems',
  'minItems',
  'required',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
  'x-kubernetes-map-type',
  'x-kubernetes-patch-merge-key',
  'x-kubernetes-patch-strategy',
  'x-kubernetes-preserve-unknown-fields',
] as const satisfies readonly (keyof Schema)[]

function whole(schema: Schema, refer: Refer): Fields {
  const made: Fields = {}
  for (const keyword of kept) if (schema[keyword] !== undefined) made[keyword] = schema[keyword]
  if (schema['x-kubernetes-int-or-string'] === true)
    return { ...made, type: 'string', format: 'int-or-string' }
  // What has no type may be anything.
  if (schema.type !== undefined) made.type = schema.type
  if (schema.properties !== undefined)
    made.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([name, field]) => [name, part(field, refer)]),
    )
  if (typeof schema.additionalProperties === 'object')
    made.additionalProperties = part(schema.additionalProperties, refer)
  if (schema.items !== undefined) made.items = part(schema.items, refer)
  return made
}

function customDefinition(schema: Schema, refer: Refer): Fields {
  const made = whole(schema, refer)
  made.properties = {
    apiVersion: { type: 'string', description: 'Group and version of the object.' },
    kind: { type: 'string', description: 'Kind of the object.' },
    ...(made.properties as Fields | undefined),
    metadata: {
      $ref: refer(modelSchema(metadataModel)).$ref,
      description: 'What every object says about itself.',
    },
  }
  return made
}
