import { type FieldError, forbiddenField, invalidValue, required, tooLong } from '../api/field-error.ts'
import type { ObjectMeta } from '../api/object.ts'
import type { ApiType } from '../kinds/api-type.ts'
import { subdomainName } from '../kinds/strategy.ts'

const namePart = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/

/** Why a text cannot be the key of a label or an annotation; nothing when it can. */
export function keyProblem(key: string): string | undefined {
  const parts = key.split('/')
  const name = parts.at(-1) ?? ''
  const prefix = parts.length === 2 ? parts[0] : undefined
  if (parts.length > 2 || name === '' || name.length > 63 || !namePart.test(name))
    return "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character, with an optional DNS subdomain prefix and '/'"
  return prefix === undefined ? undefined : subdomainName(prefix)
}

/** Why a text cannot be the value of a label; nothing when it can. */
const labelProblem = (value: string): string | undefined =>
  value.length > 63
    ? 'must be no more than 63 bytes'
    : value === '' || namePart.test(value)
      ? undefined
      : "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"

const annotationsLimit = 256 * 1024

/** What is wrong with an object's metadata. */
export function validateMetadata(type: ApiType, metadata: ObjectMeta): FieldError[] {
  const errors: FieldError[] = []
  const {
    name,
    generateName,
    labels = {},
    annotations = {},
    finalizers = [],
    ownerReferences = [],
  } = metadata
  if (generateName !== undefined && name === undefined) {
    const problem = type.strategy.name(`${generateName}x`)
    if (problem !== undefined) errors.push(invalidValue('metadata.generateName', generateName, problem))
  }
  if (name === undefined || name === '')
    errors.push(required('metadata.name', 'name or generateName is required'))
  else {
    const problem = type.strategy.name(name)
    if (problem !== undefined) errors.push(invalidValue('metadata.name', name, problem))
  }
  for (const [key, value] of Object.entries(labels)) {
    const problem = keyProblem(key)
    if (problem !== undefined) errors.push(invalidValue('metadata.labels', key, problem))
    const wrong = labelProblem(value)
    if (wrong !== undefined) errors.push(invalidValue('metadata.labels', value, wrong))
  }
  let size = 0
  for (const [key, value] of Object.entries(annotations)) {
    const problem = keyProblem(key.toLowerCase())
    if (problem !== undefined) errors.push(invalidValue('metadata.annotations', key, problem))
    size += key.length + value.length
  }
  if (size > annotationsLimit) errors.push(tooLong('metadata.annotations', annotationsLimit))
  finalizers.forEach((finalizer, index) => {
    const problem = keyProblem(finalizer)
    if (problem !== undefined) errors.push(invalidValue(`metadata.finalizers[${index}]`, finalizer, problem))
  })
  ownerReferences.forEach((owner, index) => {
    for (const field of ['apiVersion', 'kind', 'name', 'uid'] as const)
      if (!owner[field])
        errors.push(
          invalidValue(
            `metadata.ownerReferences[${index}].${field}`,
            owner[field] ?? '',
            `${field} must not be empty`,
          ),
        )
  })
  if (ownerReferences.filter(owner => owner.controller === true).length > 1)
    errors.push(
      invalidValue(
        'metadata.ownerReferences',
        ownerReferences,
        'Only one reference can have Controller set to true',
      ),
    )
  return errors
}

/** What may not change in an object's metadata, and did. */
export function validateMetadataUpdate(metadata: ObjectMeta, old: ObjectMeta): FieldError[] {
  const errors: FieldError[] = []
  for (const field of ['name', 'namespace', 'uid', 'creationTimestamp'] as const)
    if (metadata[field] !== old[field])
      errors.push(invalidValue(`metadata.${field}`, metadata[field], 'field is immutable'))
  const added = (metadata.finalizers ?? []).filter(one => !old.finalizers?.includes(one))
  if (old.deletionTimestamp !== undefined && added.length > 0)
    errors.push(
      forbiddenField(
        'metadata.finalizers',
        `no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`,
      ),
    )
  return errors
}
