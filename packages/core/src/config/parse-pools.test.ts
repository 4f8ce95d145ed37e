import { describe, expect, it } from 'vitest'
import type { IPAddressPool } from '../resources/index.ts'
import { emptySnapshot } from '../source/snapshot.ts'
import type { Pool } from './config.ts'
import { parseConfig } from './parse-config.ts'

const pool = (
  name: string,
  addresses: readonly string[],
  serviceAllocation?: IPAddressPool['spec']['serviceAllocation'],
): IPAddressPool => ({
  apiVersion: 'metallb.io/v1beta1',
  kind: 'IPAddressPool',
  metadata: { name, labels: { color: name }, annotations: {} },
  spec: {
    addresses,
    autoAssign: true,
    avoidBuggyIPs: false,
    ...(serviceAllocation && { serviceAllocation }),
  },
})
const parse = (...pools: IPAddressPool[]) => parseConfig({ ...emptySnapshot, pools })
const only = (...pools: IPAddressPool[]): Pool => {
  const { config, problems } = parse(...pools)
  expect(problems).toEqual([])
  return config?.pools[0] as Pool
}
const complaints = (...pools: IPAddressPool[]): string[] => {
  const { config, problems } = parse(...pools)
  expect(config).toBeUndefined()
  return problems.map(({ name, field, message }) => `${name} ${field}: ${message}`)
}

describe('pools', () => {
  it('keep their entries as written and their addresses in the order of the spec', () => {
    const { entries, ranges, labels, autoAssign } = only(
      pool('first', ['10.0.0.1-10.0.0.3', '10.0.0.4/30', '2001:db8::/127', '10.0.0.0/32']),
    )
    expect(entries.map(({ text }) => text)).toEqual([
      '10.0.0.1-10.0.0.3',
      '10.0.0.4/30',
      '2001:db8::/127',
      '10.0.0.0/32',
    ])
    expect(ranges.map(({ family, last, first }) => [family, last - first + 1n])).toEqual([
      [4, 7n],
      [6, 2n],
      [4, 1n],
    ])
    expect(labels).toEqual({ color: 'first' })
    expect(autoAssign).toBe(true)
  })

  it('come in name order, whatever the order of the source', () => {
    const { config } = parse(
      pool('b', ['10.0.1.0/24']),
      pool('a', ['10.0.0.0/24']),
      pool('C', ['10.0.2.0/24']),
    )
    expect(config?.pools.map(({ name }) => name)).toEqual(['C', 'a', 'b'])
  })

  it('need at least one address', () => {
    expect(complaints(pool('empty', []))).toEqual([
      'empty spec.addresses: is empty: give the pool at least one CIDR or range',
    ])
  })

  it('name every bad entry, not only the first', () => {
    expect(complaints(pool('bad', ['10.0.0.1', '10.0.1.0/24', 'x-y']))).toEqual([
      'bad spec.addresses[0]: "10.0.0.1" has no prefix length: write 10.0.0.1/32 if this one address is meant',
      'bad spec.addresses[2]: "x-y" is no address range: "x" is not an IP address',
    ])
  })

  it('may not overlap, and both entries are named', () => {
    expect(
      complaints(pool('b', ['192.168.1.10-192.168.1.20']), pool('a', ['10.0.0.0/8', '192.168.1.0/24'])),
    ).toEqual([
      'b spec.addresses[0]: 192.168.1.10-192.168.1.20 overlaps with 192.168.1.0/24 (spec.addresses[1]) of IPAddressPool "a": an address can be in one entry only',
    ])
  })

  it('may not overlap within one pool either', () => {
    expect(complaints(pool('a', ['fc00::/64', '10.0.0.0/24', 'fc00::5-fc00::6', '10.0.0.255/32']))).toEqual([
      'a spec.addresses[2]: fc00::5-fc00::6 overlaps with fc00::/64 (spec.addresses[0]): an address can be in one entry only',
      'a spec.addresses[3]: 10.0.0.255/32 overlaps with 10.0.0.0/24 (spec.addresses[1]): an address can be in one entry only',
    ])
  })

  it('may adjoin', () => {
    only(pool('a', ['10.0.0.0/24']), pool('b', ['10.0.1.0/24', 'fc00::/64']))
  })

  it('may be named once', () => {
    expect(
      complaints(pool('a', ['10.0.0.0/24']), pool('a', ['10.0.1.0/24']), pool('a', ['10.0.2.0/24'])),
    ).toEqual(['a metadata.name: there are several objects of this kind and name: keep one'])
  })
})

describe('serviceAllocation', () => {
  it('is absent for a pool that is for everybody', () => {
    expect(only(pool('a', ['10.0.0.0/24'])).serviceAllocation).toBeUndefined()
  })

  it('admits every Service when it says nothing, and is there all the same', () => {
    expect(only(pool('a', ['10.0.0.0/24'], {})).serviceAllocation).toEqual({
      priority: 0,
      anyNamespace: true,
      namespaces: new Set(),
      namespaceSelectors: [],
      serviceSelectors: [],
    })
  })

  it('admits no namespace by a selector until one has its labels', () => {
    const allocation = only(
      pool('a', ['10.0.0.0/24'], { priority: 10, namespaceSelectors: [{ matchLabels: { team: 'blue' } }] }),
    ).serviceAllocation
    expect(allocation?.anyNamespace).toBe(false)
    expect(allocation?.namespaces.size).toBe(0)
    expect(allocation?.namespaceSelectors.map(selector => selector.matches({ team: 'blue' }))).toEqual([true])
    expect(allocation?.priority).toBe(10)
  })

  it('keeps a negative priority, which MetalLB accepts', () => {
    expect(
      only(pool('a', ['10.0.0.0/24'], { priority: -5, namespaces: ['x'] })).serviceAllocation,
    ).toMatchObject({
      priority: -5,
      anyNamespace: false,
      namespaces: new Set(['x']),
    })
  })

  it('says nothing twice', () => {
    const twice = [{ matchLabels: { a: 'b' } }, { matchLabels: { a: 'b' } }]
    expect(
      complaints(
        pool('a', ['10.0.0.0/24'], {
          namespaces: ['x', 'y', 'x'],
          namespaceSelectors: twice,
          serviceSelectors: twice,
        }),
      ),
    ).toEqual([
      'a spec.serviceAllocation.namespaceSelectors[1]: is the same as [0]: remove one of them',
      'a spec.serviceAllocation.namespaces[2]: "x" is in the list already, at [0]: remove one of them',
      'a spec.serviceAllocation.serviceSelectors[1]: is the same as [0]: remove one of them',
    ])
  })
})
