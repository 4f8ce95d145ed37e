import { afterAll, beforeAll, expect, it } from 'vitest'
import { describeLab } from '../../lab/support/needs.ts'
import { eventually } from '../../lab/support/speaker-lab.ts'
import type { OurSpeaker } from '../support/our-speaker.ts'
import { holds } from '../support/routers/learnt.ts'
import type { Router } from '../support/routers/router.ts'
import { RouterLab } from '../support/routers/router-lab.ts'
import { routerPrograms } from '../support/routers/routers.ts'

const us = 65_010
const them = 65_020
const prefixes = ['192.0.2.1/32', '2001:db8::1/128']

describeLab('A router of which only the interface is known', routerPrograms, () => {
  let lab: RouterLab
  let we: OurSpeaker
  let router: Router
  let linkLocal: string

  const start = async (): Promise<void> => {
    we = await lab.speaker('we')
    await we.peers({
      name: 'frr',
      myAsn: us,
      dynamicAsn: 'external',
      interface: 'eth0',
      connectTimeMs: 1000,
      holdTimeMs: 3000,
    })
    await we.routes('frr', ...prefixes.map(prefix => ({ prefix })))
  }

  beforeAll(async () => {
    lab = await RouterLab.build('unnumbered', ['we', 'frr'])
    // Nothing but link-local addresses.
    for (const host of ['we', 'frr'])
      await lab.net.ipIn(host, 'addr', 'flush', 'dev', 'eth0', 'scope', 'global')
    const text = await lab.net.ipIn('we', '-6', 'addr', 'show', 'dev', 'eth0', 'scope', 'link')
    linkLocal = /fe80[^/]+/.exec(text)?.[0] ?? ''
    const neighbors = [{ interface: 'eth0', remoteAs: 'external' as const }]
    router = await lab.start('frr', 'frr', { as: them, routerId: '192.0.2.254', neighbors, install: true })
    await start()
  })

  afterAll(() => lab[Symbol.asyncDispose]())

  it('is found, and told IPv4 and IPv6 routes with a link-local next hop', async () => {
    const { address, negotiated } = await we.established('frr', 15)
    expect(address).toMatch(/^fe80:/)
    expect(negotiated).toMatchObject({ peerAs: them, extendedNextHop: true, families: ['ipv4', 'ipv6'] })
    const [first = '', second = ''] = prefixes
    await holds(router, 'eth0', { [first]: { nextHop: linkLocal, asPath: [us] }, [second]: { asPath: [us] } })
  })

  it('forwards to us', async () => {
    const route = await eventually('the kernel has it', async () => {
      const text = await lab.net.ipIn('frr', '-j', 'route', 'show', '192.0.2.1')
      return (
        JSON.parse(text) as readonly { readonly via?: { readonly host: string }; readonly dev: string }[]
      )[0]
    })
    expect(route).toMatchObject({ via: { family: 'inet6', host: linkLocal }, dev: 'eth0' })
    const six = await lab.net.ipIn('frr', '-j', '-6', 'route', 'show', '2001:db8::1')
    expect(JSON.parse(six)).toMatchObject([{ gateway: linkLocal, dev: 'eth0' }])
  })

  it('finds us again after either side was started anew', async () => {
    await we.kill()
    await holds(router, 'eth0', {})
    await start()
    await holds(router, 'eth0', Object.fromEntries(prefixes.map(prefix => [prefix, {}])), 20)
    await router.kill()
    await we.until('frr', 'is lost', ({ state }) => state !== 'Established')
    await router.start()
    await holds(router, 'eth0', Object.fromEntries(prefixes.map(prefix => [prefix, {}])), 20)
  })

  it('is looked for again when the interface comes back', async () => {
    await lab.net.ipIn('we', 'link', 'set', 'eth0', 'down')
    await we.until('frr', 'is lost', ({ state }) => state !== 'Established')
    await lab.net.ipIn('we', 'link', 'set', 'eth0', 'up')
    await we.established('frr', 20)
    await holds(router, 'eth0', Object.fromEntries(prefixes.map(prefix => [prefix, {}])))
  })
})
