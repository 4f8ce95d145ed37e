import type { Clock } from '@carillon/core'
import { fieldsOf } from '../../api/object.ts'
import { definitionStrategy } from '../../custom/strategy.ts'
import { modelSchema } from '../../schema/builtin.ts'
import type { ServiceAllocator } from '../../service/allocator.ts'
import { serviceStrategy } from '../../service/strategy.ts'
import { type ApiType, allVerbs } from '../api-type.ts'
import { ageColumn, nameColumn } from '../column.ts'
import { createdColumns } from './columns/other-columns.ts'
import { serviceColumns } from './columns/service-columns.ts'
import { type Row, rows } from './rows.ts'

/** Kubernetes' own resources, as a cluster with these addresses serves them; `questions` are those that are answered and not kept. */
export function builtinTypes(
  clock: Clock,
  allocator: ServiceAllocator,
  questions: readonly Row[],
): readonly ApiType[] {
  const services: Row = {
    group: '',
    version: 'v1',
    kind: 'Service',
    plural: 'services',
    model: 'V1Service',
    strategy: serviceStrategy(allocator),
    shortNames: ['svc'],
    categories: ['all'],
    subresources: ['status'],
    columns: serviceColumns,
    fields: {
      'spec.type': object => String(fieldsOf(object.spec).type ?? ''),
      'spec.clusterIP': object => String(fieldsOf(object.spec).clusterIP ?? ''),
    },
  }
  const definitions: Row = {
    group: 'apiextensions.k8s.io',
    version: 'v1',
    kind: 'CustomResourceDefinition',
    plural: 'customresourcedefinitions',
    model: 'V1CustomResourceDefinition',
    strategy: definitionStrategy(clock),
    cluster: true,
    shortNames: ['crd', 'crds'],
    categories: ['api-extensions'],
    columns: createdColumns,
    subresources: ['status'],
  }
  const found = new Map<string, ApiType>()
  for (const row of [...rows, services, definitions, ...questions]) {
    const stored = row.storedIn === undefined ? undefined : found.get(row.storedIn)
    found.set(nameOf(row), typeOf(row, stored))
  }
  return [...found.values()]
}

const nameOf = ({ plural, group }: Row): string => (group === '' ? plural : `${plural}.${group}`)

function typeOf(row: Row, stored: ApiType | undefined): ApiType {
  return {
    group: row.group,
    version: row.version,
    kind: row.kind,
    listKind: `${row.kind}List`,
    plural: row.plural,
    singular: row.kind.toLowerCase(),
    shortNames: row.shortNames ?? [],
    categories: row.categories ?? [],
    namespaced: row.cluster !== true,
    verbs: row.answer === undefined ? allVerbs : ['create'],
    subresources: row.subresources ?? [],
    collection: row.storedIn ?? nameOf(row),
    schema: modelSchema(row.model),
    strategy: row.strategy,
    columns: row.columns ?? [nameColumn, ageColumn],
    fields: row.fields ?? {},
    ...(row.answer === undefined ? {} : { answer: row.answer }),
    ...(stored === undefined ? {} : { stored }),
  }
}
