import { FakeClock, seededRandom } from '@carillon/core/testing'
import { expect, it } from 'vitest'
import { Prober } from './prober.ts'
import { profiles, type Settings } from './profile.ts'
import { Swim } from './swim.ts'
import { decodeMessage, type Ping } from './wire/index.ts'

const vsn = Uint8Array.of(1, 5, 2, 0, 0, 0)
const at = (host: number) => ({ addr: Uint8Array.of(10, 0, 0, host), port: 7946 })
const none = new Uint8Array()

/** Node `me` that knows `asker`, and what it puts into each packet. */
function answering(settings: Settings = profiles.lan) {
  const clock = new FakeClock()
  const packets: string[][] = []
  const swim = new Swim({
    name: 'me',
    address: at(1),
    meta: none,
    vsn,
    settings,
    clock,
    random: seededRandom(1),
    outlet: {
      packet: (_to, parts) =>
        packets.push(
          parts.map(part => {
            const message = decodeMessage(part)
            return typeof message === 'string' ? message : message.type
          }),
        ),
      room: () => 1400,
      streamPing: async () => false,
    },
    delegate: {},
    emit: () => {},
  })
  swim.start()
  for (const [host, node] of [
    [2, 'asker'],
    [3, 'newcomer'],
  ] as const)
    swim.alive({ type: 'alive', incarnation: 1, node, ...at(host), meta: none, vsn })
  const prober = new Prober(swim)
  const ask = (sourceNode: string, host = 2): void => {
    const { addr: sourceAddr, port: sourcePort } = at(host)
    const ping: Ping = { type: 'ping', seqNo: 7, node: 'me', sourceAddr, sourcePort, sourceNode }
    prober.answerPing(ping, { address: `10.0.0.${host}`, port: 7946 })
  }
  return { clock, packets, ask }
}

it('an answer to a ping carries news, but not to who asks all the time: it would be the only one to have them', () => {
  const { clock, packets, ask } = answering()
  ask('asker')
  for (let i = 0; i < 10; i++) {
    clock.advance(60)
    ask('asker')
  }
  const [first, ...others] = packets
  expect(first).toEqual(['ack', 'alive', 'alive', 'alive'])
  expect(others).toEqual(others.map(() => ['ack']))
})

it('who asks once a second has news with an answer, and so has a stranger, until each has had its share', () => {
  const { clock, packets, ask } = answering()
  for (let i = 0; i < 3; i++) {
    ask('asker')
    clock.advance(1000)
  }
  ask('stranger', 9)
  ask('stranger', 9)
  expect(packets.map(parts => parts.length)).toEqual([4, 4, 1, 4, 4])
})

it('news that is to be passed on once is passed on', () => {
  const { packets, ask } = answering({ ...profiles.lan, retransmitMult: 0 })
  ask('asker')
  ask('stranger', 9)
  expect(packets.map(parts => parts.length)).toEqual([4, 1])
})
