import { formatAddress, type Link, type LinkAddress } from '@carillon/core'
import { describe, expect, it } from 'vitest'
import { type NextHop, nextHopOf } from './next-hop.ts'
import { isOnLink } from './on-link.ts'
import { defaultRouterId } from './router-id.ts'

const on = (
  text: string,
  prefixLength = text.includes(':') ? 64 : 24,
  change: Partial<LinkAddress> = {},
): LinkAddress => ({
  address: text,
  prefixLength,
  scope: text.startsWith('fe80') ? 'link' : 'global',
  usable: true,
  ...change,
})

const link = (name: string, addresses: readonly LinkAddress[], change: Partial<Link> = {}): Link => ({
  index: 1,
  name,
  mac: new Uint8Array(6),
  mtu: 1500,
  up: true,
  carrier: true,
  broadcast: true,
  loopback: false,
  noArp: false,
  addresses,
  ...change,
})

const lo = link(
  'lo',
  [on('127.0.0.1', 8, { scope: 'host' }), on('::1', 128, { scope: 'host' }), on('10.255.0.1', 32)],
  {
    loopback: true,
  },
)

const words = (hop: NextHop): string => ('address' in hop ? formatAddress(hop.address) : hop.missing)

describe('the router ID', () => {
  it('is our IPv4 address on the session', () => {
    expect(defaultRouterId('10.0.0.7', [lo], 'node-a')).toBe('10.0.0.7')
  })

  it('is the lowest IPv4 address of the host on an IPv6 session, and on one with the host itself', () => {
    const links = [
      lo,
      link('eth1', [on('192.168.0.2')]),
      link('eth0', [on('10.0.0.9', 24, { usable: false }), on('20.0.0.1')]),
    ]
    expect(defaultRouterId('2001:db8::1', links, 'node-a')).toBe('20.0.0.1')
    expect(defaultRouterId('127.0.0.1', links, 'node-a')).toBe('20.0.0.1')
  })

  it('is made of the name of the node where there is no IPv4, as MetalLB makes it', () => {
    expect(defaultRouterId('2001:db8::1', [lo, link('eth0', [on('2001:db8::1')])], 'node-a')).toBe(
      '171.77.153.120',
    )
    expect(defaultRouterId('2001:db8::1', [], '')).toBe('0.0.0.1')
  })
})

describe('the next hop', () => {
  const eth0 = link('eth0', [on('10.0.0.1'), on('2001:db8::1'), on('fe80::1')])
  const ask = (
    family: 'ipv4' | 'ipv6',
    local: string,
    links: readonly Link[] = [lo, eth0],
    extendedNextHop = false,
  ): string => words(nextHopOf(family, { local, links, extendedNextHop }))

  it('is our address on the session, for its own family', () => {
    expect(ask('ipv4', '10.0.0.1')).toBe('10.0.0.1')
    expect(ask('ipv6', '2001:db8::1')).toBe('2001:db8::1')
    expect(ask('ipv6', 'fe80::1')).toBe('fe80::1')
    expect(ask('ipv4', '10.255.0.1')).toBe('10.255.0.1')
  })

  it('is an address of the same interface, for the other family: of a subnet rather than alone, then the lowest', () => {
    expect(ask('ipv6', '10.0.0.1')).toBe('2001:db8::1')
    expect(ask('ipv4', '2001:db8::1')).toBe('10.0.0.1')
    const many = link('eth0', [
      on('2001:db8::1'),
      on('10.0.0.1', 32),
      on('10.0.0.9'),
      on('10.0.0.5'),
      on('10.0.0.2', 24, { usable: false }),
    ])
    expect(ask('ipv4', '2001:db8::1', [many])).toBe('10.0.0.5')
  })

  it('of IPv4 prefixes is our IPv6 address, where the peer can take that', () => {
    expect(ask('ipv4', 'fe80::1', [lo, eth0], true)).toBe('fe80::1')
  })

  it('is an address that leads here from elsewhere, on a session with a router on this host', () => {
    expect(ask('ipv4', '127.0.0.1')).toBe('10.0.0.1')
    expect(ask('ipv6', '::1')).toBe('2001:db8::1')
    expect(ask('ipv4', '127.0.0.1', [lo])).toBe('this host has no IPv4 address that others could reach')
  })

  it('is missing where there is none, with what to do', () => {
    const single = link('eth0', [on('10.0.0.1'), on('fe80::1')])
    expect(ask('ipv6', '10.0.0.1', [single])).toBe(
      'eth0 has no IPv6 address, which would be the next hop: give it one',
    )
    expect(ask('ipv6', '10.0.0.1', [])).toBe(
      'no interface of this host has 10.0.0.1, our address on the session',
    )
  })
})

describe('a peer', () => {
  it('is on link where a subnet of ours has its address', () => {
    const answers = ['10.0.0.77', '10.0.1.77', '2001:db8::77', '2001:db8:1::77', '10.255.0.1'].map(address =>
      isOnLink(address, [lo, link('eth0', [on('10.0.0.1'), on('2001:db8::1')])]),
    )
    expect(answers).toEqual([true, false, true, false, true])
  })
})
