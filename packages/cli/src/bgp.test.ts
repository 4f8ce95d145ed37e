import type { AnnouncerSettings, Peer } from '@carillon/core'
import { expect, it } from 'vitest'
import { hasPeer } from './bgp.ts'

const peer = (zone?: string): Peer => ({
  name: 'tor',
  myAsn: 64512,
  peerAsn: 64513,
  peerAddress: '10.9.9.1',
  peerPort: 179,
  nodeSelectors:
    zone === undefined ? [] : [{ text: `zone=${zone}`, matches: labels => labels.zone === zone }],
  gracefulRestart: false,
  ebgpMultiHop: false,
  dualStackAddressFamily: false,
  passive: false,
})

const settings = (...peers: readonly Peer[]): AnnouncerSettings => ({
  config: { pools: [], peers, bfdProfiles: new Map() },
  labels: { zone: 'x' },
})

it('BGP is needed where a BGPPeer selects this node, and nowhere else', () => {
  expect(hasPeer(settings())).toBe(false)
  expect(hasPeer(settings(peer('y')))).toBe(false)
  expect(hasPeer(settings(peer('y'), peer('x')))).toBe(true)
  expect(hasPeer(settings(peer()))).toBe(true)
})
