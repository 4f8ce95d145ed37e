/** How a list of one of Kubernetes' own kinds is merged, and whose field it is. */
export interface ListKind {
  /** How apply treats it. */
  readonly type: 'set' | 'map' | 'atomic'
  /** What tells the items of a map list apart. */
  readonly keys?: readonly string[]
  /** What a strategic merge patch matches items by; nothing for lists that it replaces. Lists of scalars have an empty one. */
  readonly mergeKey?: string
}

const map = (...keys: readonly string[]): ListKind => ({ type: 'map', keys, mergeKey: keys[0] ?? '' })
const set: ListKind = { type: 'set', mergeKey: '' }

/** Lists that are merged, by model and field; every other list is replaced as a whole. */
export const listKinds: Readonly<Record<string, ListKind>> = {
  'V1ObjectMeta.finalizers': set,
  'V1ObjectMeta.ownerReferences': map('uid'),
  'V1ServiceSpec.ports': { type: 'map', keys: ['port', 'protocol'], mergeKey: 'port' },
  'V1ServiceStatus.conditions': map('type'),
  'V1NodeSpec.podCIDRs': set,
  'V1NodeStatus.addresses': map('type'),
  'V1NodeStatus.conditions': map('type'),
  'V1NamespaceStatus.conditions': map('type'),
  'V1ServiceAccount.secrets': map('name'),
  'V1ServiceAccount.imagePullSecrets': map('name'),
  'V1PodSpec.containers': map('name'),
  'V1PodSpec.initContainers': map('name'),
  'V1PodSpec.ephemeralContainers': map('name'),
  'V1PodSpec.volumes': map('name'),
  'V1PodSpec.imagePullSecrets': map('name'),
  'V1PodSpec.hostAliases': map('ip'),
  'V1PodSpec.topologySpreadConstraints': {
    type: 'map',
    keys: ['topologyKey', 'whenUnsatisfiable'],
    mergeKey: 'topologyKey',
  },
  'V1PodSpec.resourceClaims': map('name'),
  'V1PodSpec.schedulingGates': map('name'),
  'V1Container.env': map('name'),
  'V1Container.ports': { type: 'map', keys: ['containerPort', 'protocol'], mergeKey: 'containerPort' },
  'V1Container.volumeMounts': map('mountPath'),
  'V1Container.volumeDevices': map('devicePath'),
  'V1EphemeralContainer.env': map('name'),
  'V1EphemeralContainer.ports': {
    type: 'map',
    keys: ['containerPort', 'protocol'],
    mergeKey: 'containerPort',
  },
  'V1EphemeralContainer.volumeMounts': map('mountPath'),
  'V1EphemeralContainer.volumeDevices': map('devicePath'),
  'V1PodStatus.conditions': map('type'),
  'V1PodStatus.podIPs': map('ip'),
  'V1PodStatus.hostIPs': { type: 'atomic', mergeKey: 'ip' },
  'V1DeploymentStatus.conditions': map('type'),
  'V1DaemonSetStatus.conditions': map('type'),
  'V1ReplicaSetStatus.conditions': map('type'),
  'V1StatefulSetStatus.conditions': map('type'),
  'V1PodDisruptionBudgetStatus.conditions': map('type'),
  'V1ValidatingWebhookConfiguration.webhooks': map('name'),
  'V1MutatingWebhookConfiguration.webhooks': map('name'),
  'V1CustomResourceDefinitionStatus.conditions': { type: 'map', keys: ['type'] },
}

/** Objects that are replaced as a whole by apply. */
export const atomicModels: ReadonlySet<string> = new Set([
  'V1LabelSelector',
  'V1NodeSelector',
  'V1NodeSelectorTerm',
  'V1ObjectReference',
  'V1LocalObjectReference',
  'V1SecretReference',
  'V1ObjectFieldSelector',
  'V1ResourceFieldSelector',
  'V1ConfigMapKeySelector',
  'V1SecretKeySelector',
  'V1RoleRef',
  'V1TypedLocalObjectReference',
])

/** Maps that are replaced as a whole by apply. */
export const atomicMaps: ReadonlySet<string> = new Set(['V1ServiceSpec.selector', 'V1PodSpec.nodeSelector'])

/** Defaults that tell the items of map lists apart, and so have to be known before they are. */
export const keyDefaults: Readonly<Record<string, unknown>> = {
  'V1ServicePort.protocol': 'TCP',
  'V1ContainerPort.protocol': 'TCP',
}
