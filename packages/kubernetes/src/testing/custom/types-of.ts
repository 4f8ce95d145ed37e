import { type ApiType, allVerbs } from '../kinds/api-type.ts'
import { plainStrategy, type Strategy } from '../kinds/strategy.ts'
import type { Schema } from '../schema/schema.ts'
import { customColumns } from './columns.ts'
import type { DefinedVersion, Definition } from './definition.ts'
import { JsonPath } from './json-path.ts'

const strategy = (status: boolean): Strategy => ({
  ...plainStrategy,
  generation: true,
  unconditionalUpdate: false,
  ...(status
    ? {
        prepareCreate(object) {
          delete object.status
        },
      }
    : {}),
})

/** The versions of a custom resource that are served. */
export function typesOf(definition: Definition): readonly ApiType[] {
  const { versions } = definition.spec
  const storage = versions.find(version => version.storage) as DefinedVersion
  const stored = typeOf(definition, storage, undefined)
  return versions
    .filter(version => version.served)
    .map(version => (version === storage ? stored : typeOf(definition, version, stored)))
}

function typeOf(
  { metadata, spec }: Definition,
  version: DefinedVersion,
  stored: ApiType | undefined,
): ApiType {
  const { group, names, scope } = spec
  const status = version.subresources?.status !== undefined
  return {
    group,
    version: version.name,
    kind: names.kind,
    listKind: names.listKind as string,
    plural: names.plural,
    singular: names.singular as string,
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: scope === 'Namespaced',
    verbs: allVerbs,
    subresources: status ? ['status'] : [],
    collection: `${names.plural}.${group}`,
    schema: version.schema?.openAPIV3Schema as Schema,
    strategy: strategy(status),
    columns: customColumns(version.additionalPrinterColumns),
    fields: Object.fromEntries(
      (version.selectableFields ?? []).map(({ jsonPath }) => {
        const path = new JsonPath(jsonPath)
        return [jsonPath.slice(1), object => String(path.read(object)[0] ?? '')]
      }),
    ),
    custom: metadata.name as string,
    ...(version.deprecated === true
      ? {
          deprecation: version.deprecationWarning ?? `${group}/${version.name} ${names.kind} is deprecated`,
        }
      : {}),
    ...(stored === undefined ? {} : { stored }),
  }
}
