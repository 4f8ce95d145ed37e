import { type ObjectMeta, readMetadata } from './metadata.ts'
import type { Report } from './report.ts'
import { type Fields, flagField, itemsField, objectField, textField } from './value.ts'

/** A condition of a Node. */
export interface NodeCondition {
  readonly type: string
  /** `True`, `False`, `Unknown` */
  readonly status: string
}

/** An address of a Node, with what it is for. */
export interface NodeAddress {
  /** `InternalIP`, `ExternalIP`, `Hostname` */
  readonly type: string
  readonly address: string
}

/** A taint of a Node. */
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

/** Reads a Node, reporting what is malformed among the fields that Carillon uses. */
export function readNode(report: Report, object: Fields): Node {
  const spec = objectField(report, object, '', 'spec')
  const status = objectField(report, object, '', 'status')
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: readMetadata(report, object),
    spec: {
      unschedulable: flagField(report, spec, 'spec', 'unschedulable') ?? false,
      taints: itemsField(report, spec, 'spec', 'taints', (item, path): Taint => {
        const key = textField(report, item, path, 'key') ?? ''
        const value = textField(report, item, path, 'value')
        const effect = textField(report, item, path, 'effect') ?? ''
        return value === undefined ? { key, effect } : { key, value, effect }
      }),
    },
    status: {
      conditions: itemsField(report, status, 'status', 'conditions', (item, path) => ({
        type: textField(report, item, path, 'type') ?? '',
        status: textField(report, item, path, 'status') ?? 'Unknown',
      })),
      addresses: itemsField(report, status, 'status', 'addresses', (item, path) => ({
        type: textField(report, item, path, 'type') ?? '',
        address: textField(report, item, path, 'address') ?? '',
      })),
    },
  }
}
