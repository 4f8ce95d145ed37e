import { describe, expect, it } from 'vitest'
import type { Node } from '../resources/index.ts'
import { healthyNodes } from './healthy-nodes.ts'

const node = (name: string, ready?: string, taint?: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: {}, annotations: {} },
  spec: {
    unschedulable: false,
    taints: taint === undefined ? [] : [{ key: taint, effect: 'NoExecute' }],
  },
  status: { conditions: ready === undefined ? [] : [{ type: 'Ready', status: ready }], addresses: [] },
})

describe('without gossip', () => {
  it('a node that is not ready, or of which nothing has been heard, is not elected', () => {
    const nodes = [node('a', 'True'), node('b', 'False'), node('c', 'Unknown')]
    expect([...healthyNodes(nodes)]).toEqual(['a'])
  })

  it('a node that somebody has marked as out of service is not elected, whatever it says of itself', () => {
    const nodes = [node('a', 'True', 'node.kubernetes.io/out-of-service'), node('b', 'True', 'dedicated')]
    expect([...healthyNodes(nodes)]).toEqual(['b'])
  })

  it('a node that says nothing of itself may be elected', () => {
    expect([...healthyNodes([node('a'), node('b', 'False')])]).toEqual(['a'])
  })

  it('all may be elected where Kubernetes has lost sight of every one of them', () => {
    expect([...healthyNodes([node('a', 'Unknown'), node('b', 'Unknown')])]).toEqual(['a', 'b'])
  })
})
