import { equal } from '../../api/equal.ts'
import { forbiddenField, invalidValue, required } from '../../api/field-error.ts'
import { fieldsOf, type KubeObject, listOf } from '../../api/object.ts'
import { labelName, plainStrategy, type Strategy } from '../strategy.ts'

/** Keeps the metadata that came with a status, as most of Kubernetes' own kinds do. */
const withMetadata = (): void => {}

/** Namespaces: their deletion goes on until nothing is left in them. */
export const namespaceStrategy: Strategy = {
  ...plainStrategy,
  name: labelName,
  defaults(object) {
    object.metadata.labels = {
      ...object.metadata.labels,
      ...(object.metadata.name === undefined ? {} : { 'kubernetes.io/metadata.name': object.metadata.name }),
    }
  },
  prepareCreate(object) {
    object.metadata.labels = {
      ...object.metadata.labels,
      'kubernetes.io/metadata.name': object.metadata.name as string,
    }
    object.spec = { finalizers: ['kubernetes'] }
    object.status = { phase: 'Active' }
  },
  prepareUpdate(object, old) {
    object.spec = old.spec
  },
  prepareStatus: withMetadata,
}

/** Nodes, which may be created with a status. */
export const nodeStrategy: Strategy = { ...plainStrategy, prepareStatus: withMetadata }

/** Pods: bound ones are left to the node for a while when they are deleted. */
export const podStrategy: Strategy = {
  ...plainStrategy,
  returnsDeleted: true,
  defaults(object) {
    object.spec ??= {}
    podDefaults(fieldsOf(object.spec))
  },
  prepareCreate(object) {
    object.status = { phase: 'Pending', qosClass: 'BestEffort' }
  },
  prepareStatus: withMetadata,
  gracePeriod(object, asked) {
    const spec = fieldsOf(object.spec)
    const { phase } = fieldsOf(object.status)
    if (spec.nodeName === undefined || phase === 'Succeeded' || phase === 'Failed') return 0
    return (
      asked ??
      (typeof spec.terminationGracePeriodSeconds === 'number' ? spec.terminationGracePeriodSeconds : 30)
    )
  },
  validate(object) {
    return listOf(fieldsOf(object.spec).containers).length === 0 ? [required('spec.containers')] : []
  },
}

/** What every pod gets, and so every template of pods. */
export function podDefaults(spec: Record<string, unknown>): void {
  spec.restartPolicy ??= 'Always'
  spec.terminationGracePeriodSeconds ??= 30
  spec.dnsPolicy ??= 'ClusterFirst'
  spec.securityContext ??= {}
  spec.schedulerName ??= 'default-scheduler'
  if (spec.serviceAccountName !== undefined) spec.serviceAccount ??= spec.serviceAccountName
  for (const one of [...listOf(spec.containers), ...listOf(spec.initContainers)]) {
    const container = fieldsOf(one)
    container.resources ??= {}
    container.terminationMessagePath ??= '/dev/termination-log'
    container.terminationMessagePolicy ??= 'File'
    const image = typeof container.image === 'string' ? container.image : ''
    const tag = /:([^/]+)$/.exec(image)?.[1]
    container.imagePullPolicy ??=
      !image.includes('@') && (tag === undefined || tag === 'latest') ? 'Always' : 'IfNotPresent'
    for (const port of listOf(container.ports)) fieldsOf(port).protocol ??= 'TCP'
    for (const variable of listOf(container.env)) {
      const reference = fieldsOf(fieldsOf(variable).valueFrom).fieldRef
      if (reference !== undefined) fieldsOf(reference).apiVersion ??= 'v1'
    }
    for (const name of ['livenessProbe', 'readinessProbe', 'startupProbe']) probeDefaults(container[name])
  }
  for (const one of listOf(spec.volumes)) {
    const volume = fieldsOf(one)
    for (const kind of ['secret', 'configMap', 'projected', 'downwardAPI'])
      if (volume[kind] !== undefined) fieldsOf(volume[kind]).defaultMode ??= 0o644
    if (volume.hostPath !== undefined) fieldsOf(volume.hostPath).type ??= ''
  }
}

function probeDefaults(value: unknown): void {
  if (value === undefined) return
  const probe = fieldsOf(value)
  probe.timeoutSeconds ??= 1
  probe.periodSeconds ??= 10
  probe.successThreshold ??= 1
  probe.failureThreshold ??= 3
  if (probe.httpGet !== undefined) {
    fieldsOf(probe.httpGet).path ??= '/'
    fieldsOf(probe.httpGet).scheme ??= 'HTTP'
  }
}

const secretType = (object: KubeObject): unknown => object.type

/** Secrets, whose `stringData` is only another way to write `data`. */
export const secretStrategy: Strategy = {
  ...plainStrategy,
  defaults(object) {
    object.type ??= 'Opaque'
    const texts = object.stringData
    delete object.stringData
    if (texts === undefined) return
    const data = { ...fieldsOf(object.data) }
    for (const [key, text] of Object.entries(fieldsOf(texts)))
      data[key] = Buffer.from(String(text), 'utf8').toString('base64')
    object.data = data
  },
  validate(object, old) {
    if (old === undefined) return dataKeys(object.data, 'data')
    const errors = dataKeys(object.data, 'data')
    if (secretType(object) !== secretType(old))
      errors.push(invalidValue('type', object.type, 'field is immutable'))
    if (old.immutable === true && !equal(object.data, old.data))
      errors.push(forbiddenField('data', 'field is immutable when `immutable` is set'))
    return errors
  },
}

/** ConfigMaps. */
export const configMapStrategy: Strategy = {
  ...plainStrategy,
  validate(object, old) {
    const errors = [...dataKeys(object.data, 'data'), ...dataKeys(object.binaryData, 'binaryData')]
    if (
      old?.immutable === true &&
      !(equal(object.data, old.data) && equal(object.binaryData, old.binaryData))
    )
      errors.push(forbiddenField('data', 'field is immutable when `immutable` is set'))
    return errors
  },
}

function dataKeys(data: unknown, field: string) {
  return Object.keys(fieldsOf(data))
    .filter(key => !/^[-._a-zA-Z0-9]{1,253}$/.test(key) || key === '.' || key === '..')
    .map(key =>
      invalidValue(
        `${field}[${key}]`,
        key,
        "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
      ),
    )
}

/** Endpoints, the older way to say what EndpointSlices say. */
export const endpointsStrategy: Strategy = { ...plainStrategy, createOnUpdate: true }

/** ServiceAccounts. */
export const serviceAccountStrategy: Strategy = {
  ...plainStrategy,
  unconditionalUpdate: false,
  returnsDeleted: true,
}
