import { describe, expect, it } from 'vitest'
import { describeLab } from '../../lab/support/needs.ts'
import { holds } from '../support/routers/learnt.ts'
import { RouterLab } from '../support/routers/router-lab.ts'
import { type RouterKind, routerPrograms } from '../support/routers/routers.ts'

const us = 65_010
const them = 65_020
/** Where we listen, as the router has 179. */
const OUR_PORT = 1790
const prefixes = ['192.0.2.1/32', '2001:db8::1/128']
// FRR takes no session with 127.0.0.1, and no route whose next hop is its own host.
const kinds: readonly RouterKind[] = ['bird', 'gobgp', 'exabgp']

describeLab('A router on the same host', routerPrograms, () => {
  describe.each(kinds)('%s', kind => {
    it.concurrent.each(['we connect', 'it connects'])(
      'is told routes that lead others to this host: %s',
      async how => {
        const passive = how === 'we connect'
        await using lab = await RouterLab.build(`same-${kind}-${passive ? 1 : 2}`, ['host'])
        const we = await lab.speaker('host', { listen: OUR_PORT })
        await we.peers({
          name: kind,
          myAsn: us,
          peerAsn: them,
          peerAddress: '127.0.0.1',
          ebgpMultiHop: true,
          dualStackAddressFamily: true,
          connectTimeMs: 1000,
          passive: !passive,
        })
        await we.routes(kind, ...prefixes.map(prefix => ({ prefix })))
        const neighbors = [
          {
            address: '127.0.0.1',
            localAddress: '127.0.0.1',
            port: OUR_PORT,
            remoteAs: us,
            families: ['ipv4', 'ipv6'] as const,
            multihop: 2,
            passive,
          },
        ]
        const router = await lab.start(kind, 'host', { as: them, routerId: '192.0.2.254', neighbors })
        await holds(
          router,
          '127.0.0.1',
          {
            '192.0.2.1/32': { nextHop: lab.address('host'), asPath: [us] },
            '2001:db8::1/128': { nextHop: lab.address('host', 6), asPath: [us] },
          },
          15,
        )
        expect((await we.session(kind)).local?.port === OUR_PORT).toBe(!passive)
      },
    )
  })
})
