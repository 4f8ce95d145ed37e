import { equal } from '../api/equal.ts'
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '../api/field-error.ts'
import type { KubeObject } from '../api/object.ts'
import { labelName, serviceName, subdomainName } from '../kinds/strategy.ts'
import type { DefinedVersion, Definition } from './definition.ts'
import { JsonPath } from './json-path.ts'
import { structuralErrors } from './structural.ts'

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string']

/** What is wrong with a CustomResourceDefinition. */
export function validateDefinition(object: KubeObject, before: KubeObject | undefined): FieldError[] {
  const { metadata, spec } = object as Definition
  const old = before as Definition | undefined
  const errors: FieldError[] = []
  const { group, names, scope, versions = [] } = spec
  if (metadata.name !== `${names?.plural}.${group}`)
    errors.push(invalidValue('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'))
  const problem = subdomainName(group)
  if (problem !== undefined || !group.includes('.'))
    errors.push(invalidValue('spec.group', group, problem ?? 'should be a domain with at least one dot'))
  if (scope !== 'Namespaced' && scope !== 'Cluster')
    errors.push(
      scope === undefined
        ? required('spec.scope')
        : notSupported('spec.scope', scope, ['Cluster', 'Namespaced']),
    )
  errors.push(...nameErrors(object as Definition))
  if (old !== undefined)
    for (const field of ['group', 'scope'] as const)
      if (spec[field] !== old.spec[field])
        errors.push(invalidValue(`spec.${field}`, spec[field], 'field is immutable'))
  if (old !== undefined && !equal(names?.kind, old.spec.names.kind))
    errors.push(invalidValue('spec.names.kind', names.kind, 'field is immutable'))
  if (versions.filter(version => version.storage).length !== 1)
    errors.push(
      invalidValue(
        'spec.versions',
        versions.map(version => version.name),
        'must have exactly one version marked as storage version',
      ),
    )
  versions.forEach((version, index) => {
    errors.push(...versionErrors(version, `spec.versions[${index}]`))
    if (versions.findIndex(other => other.name === version.name) < index)
      errors.push(invalidValue('spec.versions', version.name, 'must contain unique version names'))
  })
  errors.push(...conversionErrors(object as Definition))
  if (spec.preserveUnknownFields === true)
    errors.push(
      invalidValue(
        'spec.preserveUnknownFields',
        true,
        'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ),
    )
  return errors
}

function nameErrors({ spec: { names } }: Definition): FieldError[] {
  const errors: FieldError[] = []
  if (names === undefined) return [required('spec.names')]
  const label = (
    field: string,
    value: string | undefined,
    rule: (text: string) => string | undefined,
  ): void => {
    if (!value) return void errors.push(required(`spec.names.${field}`))
    const problem = rule(value)
    if (problem !== undefined) errors.push(invalidValue(`spec.names.${field}`, value, problem))
  }
  label('plural', names.plural, serviceName)
  label('singular', names.singular ?? names.kind?.toLowerCase(), serviceName)
  label('kind', names.kind, text => serviceName(text.toLowerCase()))
  label('listKind', names.listKind ?? `${names.kind}List`, text => serviceName(text.toLowerCase()))
  for (const short of names.shortNames ?? []) label('shortNames', short, serviceName)
  for (const category of names.categories ?? []) label('categories', category, serviceName)
  if (names.kind !== undefined && names.kind === names.listKind)
    errors.push(invalidValue('spec.names.listKind', names.listKind, 'kind and listKind may not be the same'))
  return errors
}

function versionErrors(version: DefinedVersion, at: string): FieldError[] {
  const errors: FieldError[] = []
  const problem = labelName(version.name ?? '')
  if (problem !== undefined) errors.push(invalidValue(`${at}.name`, version.name, problem))
  const schema = version.schema?.openAPIV3Schema
  if (schema === undefined) errors.push(required(`${at}.schema.openAPIV3Schema`, 'schemas are required'))
  else errors.push(...structuralErrors(schema, `${at}.schema.openAPIV3Schema`))
  if (version.deprecationWarning !== undefined && version.deprecated !== true)
    errors.push(
      invalidValue(
        `${at}.deprecationWarning`,
        version.deprecationWarning,
        'can only be set for deprecated versions',
      ),
    )
  version.additionalPrinterColumns?.forEach((column, index) => {
    const here = `${at}.additionalPrinterColumns[${index}]`
    if (!column.name) errors.push(required(`${here}.name`))
    if (!columnTypes.includes(column.type))
      errors.push(notSupported(`${here}.type`, column.type, columnTypes))
    errors.push(...pathErrors(column.jsonPath, `${here}.jsonPath`))
  })
  const selectable = version.selectableFields ?? []
  selectable.forEach(({ jsonPath }, index) => {
    errors.push(...pathErrors(jsonPath, `${at}.selectableFields[${index}].jsonPath`))
  })
  return errors
}

function pathErrors(path: string | undefined, at: string): FieldError[] {
  if (!path) return [required(at)]
  try {
    new JsonPath(path)
    return []
  } catch (error) {
    return [invalidValue(at, path, `must be a simple json path starting with .: ${(error as Error).message}`)]
  }
}

function conversionErrors({ spec: { conversion } }: Definition): FieldError[] {
  if (conversion === undefined) return []
  const { strategy, webhook } = conversion
  const at = 'spec.conversion'
  if (strategy === 'None')
    return webhook === undefined
      ? []
      : [forbiddenField(`${at}.webhook`, 'should not be set when strategy is not set to Webhook')]
  if (strategy !== 'Webhook') return [notSupported(`${at}.strategy`, strategy, ['None', 'Webhook'])]
  const errors: FieldError[] = []
  const { url, service } = webhook?.clientConfig ?? {}
  if (webhook?.clientConfig === undefined)
    errors.push(required(`${at}.webhook.clientConfig`, 'required when strategy is set to Webhook'))
  else if ((url === undefined) === (service === undefined))
    errors.push(required(`${at}.webhook.clientConfig`, 'exactly one of url or service is required'))
  if (url !== undefined && !url.startsWith('https://'))
    errors.push(invalidValue(`${at}.webhook.clientConfig.url`, url, "'https' is the only allowed URL scheme"))
  const known = webhook?.conversionReviewVersions ?? []
  if (known.length === 0) errors.push(required(`${at}.webhook.conversionReviewVersions`))
  else if (!known.some(version => version === 'v1' || version === 'v1beta1'))
    errors.push(
      invalidValue(
        `${at}.webhook.conversionReviewVersions`,
        known,
        'must include at least one of v1, v1beta1',
      ),
    )
  return errors
}
