import type { Problem } from '../config/problem.ts'
import { bgpPeerToV1beta2, v1beta1, v1beta2 } from './bgp-peer-conversion.ts'
import { type EndpointSlice, readEndpointSlice } from './endpoint-slice.ts'
import { identify, readMetadata } from './metadata.ts'
import { type Namespace, readNamespace } from './namespace.ts'
import { nearest } from './nearest.ts'
import { type Node, readNode } from './node.ts'
import { readStructure } from './read-structure.ts'
import { Report } from './report.ts'
import { readSecret, type Secret } from './secret.ts'
import { readService, type Service } from './service.ts'
import type { ObjectStructure } from './structure.ts'
import { structures } from './structures.generated.ts'
import type {
  BFDProfile,
  BGPAdvertisement,
  BGPPeer,
  Community,
  ConfigurationState,
  IPAddressPool,
  L2Advertisement,
  ServiceBGPStatus,
  ServiceL2Status,
} from './types.generated.ts'
import { type Fields, isFields } from './value.ts'

/** Every object that Carillon can read, in the form in which it keeps it. */
export type Resource =
  | IPAddressPool
  | L2Advertisement
  | BGPAdvertisement
  | BGPPeer
  | BFDProfile
  | Community
  | ServiceL2Status
  | ServiceBGPStatus
  | ConfigurationState
  | Service
  | Node
  | Namespace
  | EndpointSlice
  | Secret

/** What became of an object. Without `resource` it cannot be used, and an error among the problems says why. */
export interface ParsedResource {
  readonly resource?: Resource
  readonly problems: readonly Problem[]
}

const group = 'metallb.io/'

const coreKinds: Readonly<Record<string, (report: Report, object: Fields) => Resource>> = {
  'v1 Service': readService,
  'v1 Node': readNode,
  'v1 Namespace': readNamespace,
  'v1 Secret': readSecret,
  'discovery.k8s.io/v1 EndpointSlice': readEndpointSlice,
}

/** RFC 1123 subdomain: what Kubernetes takes as the name of a custom resource. */
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

const topLevel = ['apiVersion', 'kind', 'metadata', 'spec', 'status']

/** A kind of our group that there is not: its version may be wrong, or its spelling. Others have kinds in this group, too. */
function missingKind(apiVersion: string, kind: string, object: Fields): ParsedResource | undefined {
  const known = Object.keys(structures).map(key => key.split(' ') as [string, string])
  const versions = known.filter(([, name]) => name === kind).map(([version]) => version)
  const meant = versions.length > 0 ? undefined : nearest(kind, new Set(known.map(([, name]) => name)))
  if (versions.length === 0 && meant === undefined) return undefined
  const report = new Report(kind, identify(object).name)
  if (meant !== undefined)
    report.error('kind', `there is no kind ${kind} in ${apiVersion}; did you mean ${meant}?`)
  else report.error('apiVersion', `there is no ${kind} in ${apiVersion}: write ${versions.at(-1)}`)
  return { problems: report.problems }
}

/** An absent or null spec is an empty one: what is required in it is then named. */
function readSpec(report: Report, structure: ObjectStructure | undefined, spec: unknown): unknown {
  return structure && readStructure(report, structure, spec ?? {}, 'spec')
}

/** A status that is malformed is dropped: whoever writes it writes it anew. */
function readStatus(structure: ObjectStructure | undefined, status: unknown): unknown {
  if (!structure || status === undefined || status === null) return undefined
  const report = new Report('', '')
  const out = readStructure(report, structure, status, 'status')
  return report.failed ? undefined : out
}

function parseOurs(apiVersion: string, kind: string, object: Fields): ParsedResource | undefined {
  const structure = structures[`${apiVersion} ${kind}`]
  if (!structure) return missingKind(apiVersion, kind, object)
  const report = new Report(kind, identify(object).name)
  const metadata = readMetadata(report, object)
  const { name } = metadata
  if (name !== '' && (name.length > 253 || !subdomain.test(name))) {
    report.error(
      'metadata.name',
      'must be lower case letters, digits, "-" and ".", and start and end with a letter or digit',
    )
  }
  for (const key of Object.keys(object)) {
    if (topLevel.includes(key)) continue
    const meant = Object.hasOwn(structure.spec?.properties ?? {}, key)
      ? `spec.${key}`
      : nearest(key, topLevel)
    report.warning(
      key,
      `is not a known field and is dropped${meant === undefined ? '' : `; did you mean ${meant}?`}`,
    )
  }
  let spec = readSpec(report, structure.spec, object.spec)
  if (report.failed) return { problems: report.problems }
  const old = kind === 'BGPPeer' && apiVersion === v1beta1
  let { annotations } = metadata
  if (old) {
    const converted = bgpPeerToV1beta2({ metadata: { annotations }, spec })
    const meta = converted.metadata as { readonly annotations?: Readonly<Record<string, string>> }
    annotations = meta.annotations ?? {}
    spec = readSpec(report, structures[`${v1beta2} ${kind}`]?.spec, converted.spec)
  }
  const status = readStatus(structure.status, object.status)
  const resource = {
    apiVersion: old ? v1beta2 : apiVersion,
    kind,
    metadata: annotations === metadata.annotations ? metadata : { ...metadata, annotations },
    ...(spec === undefined ? {} : { spec }),
    ...(status === undefined ? {} : { status }),
  }
  return { resource: resource as unknown as Resource, problems: report.problems }
}

const namespacedKinds: ReadonlySet<string> = new Set(['Service', 'EndpointSlice', 'Secret'])

/**
 * Reads one object, given as Kubernetes holds it. Unknown fields are dropped; those of `metallb.io` kinds are warned about.
 * A BGPPeer v1beta1 comes back as v1beta2. Gives undefined for kinds that are none of ours. Never throws.
 */
export function parseResource(object: unknown): ParsedResource | undefined {
  if (!isFields(object)) return undefined
  const { apiVersion, kind } = object
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return undefined
  if (apiVersion.startsWith(group)) return parseOurs(apiVersion, kind, object)
  const read = coreKinds[`${apiVersion} ${kind}`]
  if (!read) return undefined
  const { name, namespace } = identify(object)
  const report = new Report(kind, name, namespacedKinds.has(kind) ? (namespace ?? 'default') : undefined)
  const resource = read(report, object)
  return report.failed ? { problems: report.problems } : { resource, problems: report.problems }
}
