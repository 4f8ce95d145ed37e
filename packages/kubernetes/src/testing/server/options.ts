import type { Clock } from '@carillon/core'
import type { ServiceResolver } from '../webhook/endpoint.ts'

/** How an API server for tests is to be. */
export interface KubeApiServerOptions {
  /**
   * Time: creation timestamps, ages in tables, the ends of watches, bookmarks, slow answers, how long webhooks may take.
   * @default systemClock
   */
  readonly clock?: Clock
  /**
   * Address to listen at.
   * @default '127.0.0.1'
   */
  readonly host?: string
  /**
   * Port to listen at; 0 for a free one.
   * @default 0
   */
  readonly port?: number
  /**
   * HTTPS, with a certificate of an authority that the server makes for itself. kubectl sends credentials over nothing else.
   * @default false
   */
  readonly tls?: boolean
  /**
   * Whether clients have to say who they are, by a token or a certificate from this server (401 if not). Else everybody may do everything.
   * @default false
   */
  readonly authenticate?: boolean
  /**
   * Whether roles in the store decide who may do what, as RBAC does (403 if not); includes `authenticate`.
   * @default false
   */
  readonly authorize?: boolean
  /**
   * Where the Services that webhooks are behind are reached from here, such as `https://127.0.0.1:9443`.
   * @default what the Service's EndpointSlices say
   */
  readonly services?: ServiceResolver
  /**
   * Where the cluster addresses of Services come from: one CIDR, or one of each family with the preferred one first.
   * @default ['10.96.0.0/16']
   */
  readonly serviceCidrs?: readonly string[]
  /**
   * First and last port that a Service of type NodePort or LoadBalancer can have on the nodes.
   * @default [30000, 32767]
   */
  readonly nodePorts?: readonly [first: number, last: number]
  /**
   * Whether the controllers work that a cluster has beside its API server: garbage collection, and emptying namespaces that are deleted.
   * @default true
   */
  readonly controllers?: boolean
  /**
   * How many changes of each resource are kept at least for those who resume a watch.
   * @default 100000
   */
  readonly history?: number
  /**
   * 0 up to, but not 1: for generated names, and how long watches last.
   * @default Math.random
   */
  readonly random?: () => number
}
