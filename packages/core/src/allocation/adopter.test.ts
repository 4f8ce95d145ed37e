import { describe, expect, it } from 'vitest'
import type { Pool } from '../config/config.ts'
import type { Service } from '../resources/index.ts'
import { pool, type ServiceSketch, service } from '../testing/sketch.ts'
import { Adopter, type Assignment, type ClassOptions } from './index.ts'

const pools = [pool('a', ['10.0.0.0/24', 'fd00::/64'], { avoidBuggyIPs: true }), pool('b', ['10.0.1.0/24'])]

function adopt(sketch: ServiceSketch, options: ClassOptions = {}): Assignment {
  const { services } = new Adopter(options).update({ services: [service('web', sketch)], config: { pools } })
  return services.get('default/web') as Assignment
}

describe('a speaker', () => {
  it('takes what the status says, in its order and canonically, with the pool that holds it', () => {
    expect(adopt({ status: ['FD00:0::1', '10.0.0.7'] })).toEqual({
      state: 'assigned',
      addresses: ['fd00::1', '10.0.0.7'],
      pool: 'a',
      publish: 'asIs',
    })
  })

  it.each([
    ['of another type', { type: 'NodePort', status: ['10.0.0.7'] }, 'notLoadBalancer'],
    ['of another class', { class: 'cloud', status: ['10.0.0.7'] }, 'otherClass'],
    ['without an address', {}, 'noIPAllocated'],
    ['with what is no address', { status: ['10.0.0.7', 'web'] }, 'invalidIP'],
    ['with an address outside the pools', { status: ['10.9.9.9'] }, 'ipNotAllowed'],
    ['with an address that avoidBuggyIPs leaves out', { status: ['10.0.0.255'] }, 'ipNotAllowed'],
    ['with addresses of two pools', { status: ['10.0.1.7', 'fd00::1'] }, 'ipNotAllowed'],
  ])('says of a Service %s why it is silent', (_what, sketch, code) => {
    const { addresses, reason } = adopt(sketch)
    expect(addresses).toEqual([])
    expect(reason?.code).toBe(code)
  })

  it('does not ask whether the pool would admit the Service: that is for the controller', () => {
    const closed: readonly Pool[] = [
      pool('p', ['10.0.0.0/24'], { autoAssign: false, rules: { namespaces: ['shop'] } }),
    ]
    const services = [service('web', { status: ['10.0.0.7'] })]
    const { services: view } = new Adopter().update({ services, config: { pools: closed } })
    expect(view.get('default/web')?.state).toBe('assigned')
  })

  it('follows statuses and pools, tells what changed, and counts a shared address once', () => {
    const adopter = new Adopter()
    const web = service('web', { status: ['10.0.0.7'] })
    const api = service('api', { status: ['10.0.0.7'] })
    const idle = service('idle')
    const update = (services: readonly Service[], now: readonly Pool[] = pools) =>
      adopter.update({ services, config: { pools: now } })
    expect(update([web, api, idle]).changed).toEqual(['default/api', 'default/idle', 'default/web'])
    expect(update([web, api, idle]).changed).toEqual([])
    expect(update([web, api, idle]).pools[0]).toMatchObject({
      name: 'a',
      assignedIPv4: 1,
      availableIPv4: 253,
    })
    const served = service('idle', { status: ['10.0.1.7'] })
    const moved = update([web, served])
    expect(moved.changed).toEqual(['default/api', 'default/idle'])
    expect(moved.pools.map(({ assignedIPv4 }) => assignedIPv4)).toEqual([1, 1])
    const renamed = update([web, served], [pool('c', ['10.0.0.0/23'])])
    expect(renamed.changed).toEqual(['default/idle', 'default/web'])
    expect(renamed.pools).toEqual([
      { name: 'c', assignedIPv4: 2, assignedIPv6: 0, availableIPv4: 510, availableIPv6: 0 },
    ])
  })
})
