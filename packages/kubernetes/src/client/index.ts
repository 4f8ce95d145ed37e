export type { KubeConfigLike } from './adopted.ts'
export {
  type CallOptions,
  Client,
  type ClientOptions,
  type DeleteOptions,
  type ListOptions,
  type ObjectName,
  type PatchOptions,
  type PatchType,
  type Selection,
  type WatchOptions,
} from './client.ts'
export { type Connection, type ConnectOptions, connect } from './connect.ts'
export {
  isKubeObject,
  type KubeMeta,
  type KubeObject,
  type OwnerReference,
  type Page,
  type WatchEvent,
} from './object.ts'
export {
  apiVersionOf,
  type ResourceType,
  type ResourceTypeName,
  resourceName,
  resourceTypes,
} from './resource-type.ts'
export type { HttpAnswer, HttpRequest, Transport } from './transport.ts'
