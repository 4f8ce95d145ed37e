import type { Clock } from '@carillon/core'

/** How an API server for tests is to be. */
export interface KubeApiServerOptions {
  /**
   * Time: creation timestamps, ages in tables, the ends of watches, bookmarks, slow answers.
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
