import { type NamespacedMeta, readNamespacedMetadata } from './metadata.ts'
import type { Report } from './report.ts'
import {
  type Fields,
  flagField,
  itemsField,
  objectField,
  textField,
  textsField,
  type Writable,
} from './value.ts'

/** The state of an endpoint. */
export interface EndpointConditions {
  /** Absent means true, as Kubernetes says. */
  readonly ready?: boolean
  readonly serving?: boolean
  readonly terminating?: boolean
}

/** Where a Service is served. */
export interface Endpoint {
  readonly addresses: readonly string[]
  readonly conditions: EndpointConditions
  readonly nodeName?: string
  readonly targetRef?: TargetReference
}

/** What is behind an endpoint, mostly a Pod. */
export interface TargetReference {
  readonly kind?: string
  readonly namespace?: string
  readonly name?: string
}

/** The fields of an EndpointSlice that Carillon reads. Its Service is in the label `kubernetes.io/service-name`. */
export interface EndpointSlice {
  readonly apiVersion: 'discovery.k8s.io/v1'
  readonly kind: 'EndpointSlice'
  readonly metadata: NamespacedMeta
  /** `IPv4`, `IPv6`, `FQDN`; empty where the object says nothing. */
  readonly addressType: string
  readonly endpoints: readonly Endpoint[]
}

const unconditional: EndpointConditions = Object.freeze({})

function readConditions(report: Report, endpoint: Fields, path: string): EndpointConditions {
  const from = objectField(report, endpoint, path, 'conditions')
  const at = `${path}.conditions`
  const ready = flagField(report, from, at, 'ready')
  const serving = flagField(report, from, at, 'serving')
  const terminating = flagField(report, from, at, 'terminating')
  if (ready === undefined && serving === undefined && terminating === undefined) return unconditional
  const conditions: Writable<EndpointConditions> = {}
  if (ready !== undefined) conditions.ready = ready
  if (serving !== undefined) conditions.serving = serving
  if (terminating !== undefined) conditions.terminating = terminating
  return conditions
}

function readTarget(report: Report, endpoint: Fields, path: string): TargetReference {
  const from = objectField(report, endpoint, path, 'targetRef')
  const at = `${path}.targetRef`
  const kind = textField(report, from, at, 'kind')
  const namespace = textField(report, from, at, 'namespace')
  const name = textField(report, from, at, 'name')
  const target: Writable<TargetReference> = {}
  if (kind !== undefined) target.kind = kind
  if (namespace !== undefined) target.namespace = namespace
  if (name !== undefined) target.name = name
  return target
}

function readEndpoint(report: Report, from: Fields, path: string): Endpoint {
  const endpoint: Writable<Endpoint> = {
    addresses: textsField(report, from, path, 'addresses'),
    conditions: readConditions(report, from, path),
  }
  const nodeName = textField(report, from, path, 'nodeName')
  if (nodeName !== undefined) endpoint.nodeName = nodeName
  if (from.targetRef !== undefined && from.targetRef !== null) {
    endpoint.targetRef = readTarget(report, from, path)
  }
  return endpoint
}

/** Reads an EndpointSlice, reporting what is malformed among the fields that Carillon uses. */
export function readEndpointSlice(report: Report, object: Fields): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: readNamespacedMetadata(report, object),
    addressType: textField(report, object, '', 'addressType') ?? '',
    endpoints: itemsField(report, object, '', 'endpoints', (item, path) => readEndpoint(report, item, path)),
  }
}
