import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { decodeMessage, encodeMessage } from './codec.ts'
import { describeNotification } from './notification.ts'

/** A recorded session, one file of `fixtures/`. */
interface Capture {
  /** Who took part, with versions. */
  readonly source: string
  readonly messages: readonly {
    /** Who sent it. */
    readonly from: string
    /** The whole message, its header included. */
    readonly hex: string
    readonly fourOctetAs: boolean
    readonly extendedMessage: boolean
  }[]
}

const folder = fileURLToPath(new URL('../../fixtures/', import.meta.url))
const captures = readdirSync(folder)
  .filter(file => file.endsWith('.json'))
  .map(file => [file, JSON.parse(readFileSync(folder + file, 'utf8')) as Capture] as const)

describe.each(captures)('the recorded session %s', (_, { messages }) => {
  it.each(messages)('has message %# of $from understood, and written with the same meaning', one => {
    const { message, faults } = decodeMessage(Uint8Array.from(Buffer.from(one.hex, 'hex')), one)
    expect(faults).toEqual([])
    expect(decodeMessage(encodeMessage(message, one), one)).toEqual({ message, faults: [] })
  })
})

describe('recorded sessions', () => {
  it('mean what the routers were configured to say', () => {
    const [, { messages }] = captures.find(([file]) => file === 'bird-frr.json') as (typeof captures)[number]
    const said = messages.map(one => ({
      from: one.from,
      ...decodeMessage(Uint8Array.from(Buffer.from(one.hex, 'hex')), one).message,
    }))
    const openOf = (from: string) => said.find(one => one.from === from && one.type === 'open')
    expect(openOf('FRR')).toMatchObject({
      as: 23456,
      holdTime: 9,
      routerId: '10.99.0.2',
      capabilities: expect.arrayContaining([
        { name: 'fourOctetAs', as: 4200000002 },
        { name: 'hostname', hostName: 'frr-router', domainName: '' },
        { name: 'enhancedRouteRefresh' },
      ]),
    })
    expect(openOf('BIRD')).toMatchObject({
      as: 65001,
      capabilities: expect.arrayContaining([
        { name: 'extendedNextHop', entries: [{ afi: 1, safi: 1, nextHopAfi: 2 }] },
        { name: 'extendedMessage' },
        {
          name: 'gracefulRestart',
          restarting: false,
          notification: false,
          restartTime: 120,
          families: [
            { afi: 1, safi: 1, forwarding: false },
            { afi: 2, safi: 1, forwarding: false },
          ],
        },
      ]),
    })
    const routed = said.find(
      one => one.type === 'update' && one.from === 'BIRD' && one.announced.length === 1,
    )
    expect(routed).toMatchObject({
      attributes: {
        origin: 'igp',
        asPath: [{ type: 'sequence', as: [65001] }],
        communities: [65001 * 0x10000 + 1],
        extendedCommunities: [Uint8Array.of(0, 2, 0xfd, 0xe9, 0, 0, 0, 7)],
        largeCommunities: [[65001, 2, 3]],
      },
      announced: [{ address: Uint8Array.of(198, 51, 100, 0), length: 24 }],
    })
    expect(said.flatMap(one => (one.type === 'notification' ? [describeNotification(one)] : []))).toEqual([
      'Cease: Administrative Shutdown, "fixture run ends"',
    ])
  })

  it('show every type of message', () => {
    const all = captures.flatMap(([, { messages }]) => messages)
    const types = all.map(
      one => decodeMessage(Uint8Array.from(Buffer.from(one.hex, 'hex')), one).message.type,
    )
    expect([...new Set(types)].sort()).toEqual([
      'keepalive',
      'notification',
      'open',
      'routeRefresh',
      'update',
    ])
  })
})
