import type { ObjectMeta } from './metadata.ts'

export interface NodeCondition {
  readonly type: string
  /** `True`, `False`, `Unknown` */
  readonly status: string
}

export interface NodeAddress {
  readonly type: string
  readonly address: string
}

export interface Taint {
  readonly key: string
  readonly value?: string
  readonly effect: string
}

/** The fields of a Node that Carillon reads. Absent lists are empty ones. */
export interface Node {
  readonly apiVersion: 'v1'
  readonly kind: 'Node'
  readonly metadata: ObjectMeta
  readonly spec: {
    readonly unschedulable: boolean
    readonly taints: readonly Taint[]
  }
  readonly status: {
    readonly conditions: readonly NodeCondition[]
    readonly addresses: readonly NodeAddress[]
  }
}
