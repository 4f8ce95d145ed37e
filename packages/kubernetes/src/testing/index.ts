/**
 * A Kubernetes API server for tests: real HTTP, real semantics, in memory, with faults on demand.
 *
 * @example
 * ```ts
 * await using server = await KubeApiServer.start()
 * await server.store.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'web' } })
 * ```
 *
 * @packageDocumentation
 */
export type { KubeObject, ManagedFieldsEntry, ObjectMeta, OwnerReference } from './api/object.ts'
export { Refusal, type Status, type StatusCause } from './api/status.ts'
export { CertificateAuthority, type CertificateRequest, type Certified } from './certificate/authority.ts'
export type { Verb } from './kinds/api-type.ts'
export type { User } from './registry/call.ts'
export type { Selection } from './registry/list-options.ts'
export type { DeleteOptions } from './registry/remove.ts'
export { type CountedRequest, RequestCounters } from './server/counters.ts'
export { Faults, type FaultTarget } from './server/faults.ts'
export type { Credentials } from './server/kubeconfig.ts'
export type { KubeApiServerOptions } from './server/options.ts'
export { KubeApiServer } from './server/server.ts'
export { type NewObject, type ObjectKey, ServerObjects } from './server/server-objects.ts'
export type { ServiceReference, ServiceResolver } from './webhook/endpoint.ts'
