import { type Assignment, parseResource, type Service } from '@carillon/core'
import { describe, expect, it } from 'vitest'
import { allocationNotes } from './allocation-notes.ts'

interface Parts {
  readonly annotations?: object
  readonly spec?: object
  readonly ingress?: readonly object[]
}

const service = ({ annotations = {}, spec = {}, ingress = [] }: Parts = {}): Service =>
  parseResource({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'shop', uid: 'u-1', annotations },
    spec: { type: 'LoadBalancer', ...spec },
    status: { loadBalancer: { ingress } },
  })?.resource as Service

const assigned = (...addresses: readonly string[]): Assignment => ({
  state: 'assigned',
  addresses,
  pool: 'first',
  publish: 'addresses',
})

const pending = (
  code: 'AllocationFailed' | 'NotEnoughClusterIPs' | 'LoadBalancerFailed',
  message: string,
): Assignment => ({
  state: 'pending',
  addresses: [],
  publish: 'nothing',
  reason: { code, message },
})

const told = (...change: Parameters<typeof allocationNotes>): readonly string[] =>
  allocationNotes(...change).map(({ type, reason, message }) => `${type} ${reason}: ${message}`)

describe('of a Service is told', () => {
  it('that it was given an address', () => {
    const notes = allocationNotes(service(), undefined, assigned('192.0.2.1'))
    expect(notes).toEqual([
      {
        about: { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web', uid: 'u-1' },
        type: 'Normal',
        reason: 'IPAllocated',
        message: 'assigned 192.0.2.1 from pool first',
      },
    ])
  })

  it('nothing when it has what it had, also before the controller was started', () => {
    expect(told(service({ ingress: [{ ip: '192.0.2.1' }] }), undefined, assigned('192.0.2.1'))).toEqual([])
    expect(told(service(), assigned('192.0.2.1'), assigned('192.0.2.1'))).toEqual([])
  })

  it('that it has lost its address, and what it has now', () => {
    expect(told(service(), assigned('192.0.2.1'), assigned('192.0.2.9'))).toEqual([
      'Normal ClearAssignment: 192.0.2.1 is no longer assigned',
      'Normal IPAllocated: assigned 192.0.2.9 from pool first',
    ])
  })

  it('why it has none, once for each cause', () => {
    const full = pending('AllocationFailed', 'the pools are full')
    expect(told(service(), undefined, full)).toEqual(['Warning AllocationFailed: the pools are full'])
    expect(told(service(), full, { ...full })).toEqual([])
    expect(told(service(), full, pending('NotEnoughClusterIPs', 'one only'))).toEqual([
      'Warning not enough clusterips: one only',
    ])
    expect(told(service(), full, pending('LoadBalancerFailed', 'no address'))).toEqual([
      'Warning LoadBalancerFailed: no address',
    ])
  })

  it('that one of the two addresses which it would like could not be had', () => {
    const dual = service({ spec: { ipFamilyPolicy: 'PreferDualStack', clusterIPs: ['10.0.0.1', 'fd00::1'] } })
    expect(told(dual, undefined, assigned('192.0.2.1'))).toContain(
      'Normal AdditionalAssignFailed: there was no address of the other family to go with 192.0.2.1',
    )
    expect(told(dual, undefined, assigned('192.0.2.1', '2001:db8::1'))).toEqual([
      'Normal IPAllocated: assigned 192.0.2.1 and 2001:db8::1 from pool first',
    ])
  })

  it('that its annotations have a name of old', () => {
    const old = service({ annotations: { 'metallb.universe.tf/address-pool': 'first' } })
    expect(told(old, undefined, assigned('192.0.2.1'))[1]).toMatch(/^Warning deprecatedAnnotation/)
  })

  it('nothing of what another controller does to it', () => {
    const others: Assignment = {
      state: 'ignored',
      addresses: [],
      publish: 'asIs',
      reason: { code: 'otherClass', message: 'x' },
    }
    expect(told(service({ ingress: [{ ip: '192.0.2.1' }] }), undefined, others)).toEqual([])
  })
})
