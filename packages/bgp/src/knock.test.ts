import type { Stream } from '@carillon/core'
import { FakeClock, MemoryNetwork, seededRandom, settle } from '@carillon/core/testing'
import { expect, it } from 'vitest'
import { type Knock, knock } from './knock.ts'
import { encodeMessage, type Message } from './wire/index.ts'

const dialect = { fourOctetAs: false, extendedMessage: false }

const open: Message = {
  type: 'open',
  version: 4,
  as: 23456,
  holdTime: 90,
  routerId: '10.0.0.2',
  capabilities: [{ name: 'fourOctetAs', as: 4_200_000_001 }],
}

/** What comes of knocking at a router that does this with whoever connects. */
async function knocked(router: (stream: Stream) => void): Promise<Knock> {
  const clock = new FakeClock()
  const network = new MemoryNetwork({ clock, random: seededRandom(1) })
  const here = network.host('a', '10.0.0.1')
  const streams = await network.host('b', '10.0.0.2').listen({ address: '10.0.0.2', port: 179 })
  streams.accept(router)
  return finish(clock, knock({ network: here, clock, to: { address: '10.0.0.2', port: 179 } }))
}

async function finish(clock: FakeClock, knocking: Promise<Knock>): Promise<Knock> {
  let result: Knock | undefined
  void knocking.then(came => {
    result = came
  })
  while (!result) {
    clock.advance(10)
    await settle()
  }
  return result
}

it('a router that is ready says who it is', async () => {
  const came = await knocked(stream => stream.write(encodeMessage(open, dialect)))
  expect(came).toEqual({ came: 'open', as: 4_200_000_001, routerId: '10.0.0.2' })
})

it('a router that refuses says so, or closes', async () => {
  const refusal: Message = { type: 'notification', code: 6, subcode: 5, data: new Uint8Array() }
  expect(await knocked(stream => stream.write(encodeMessage(refusal, dialect)))).toEqual({
    came: 'notification',
    code: 6,
    subcode: 5,
  })
  expect(await knocked(stream => stream.end())).toEqual({ came: 'closed' })
})

it('a router may wait for the other side to begin', async () => {
  expect(await knocked(() => {})).toEqual({ came: 'nothing' })
})

it('what is no router is told from one', async () => {
  expect(await knocked(stream => stream.write('SSH-2.0-OpenSSH_9.2p1 and more of it\r\n'))).toEqual({
    came: 'noise',
  })
  expect(await knocked(stream => stream.write(encodeMessage({ type: 'keepalive' }, dialect)))).toEqual({
    came: 'noise',
  })
})

it('where there is no connection, the reason is given', async () => {
  const clock = new FakeClock()
  const network = new MemoryNetwork({ clock, random: seededRandom(1) })
  const here = network.host('a', '10.0.0.1')
  network.host('b', '10.0.0.2')
  const to = (address: string): Promise<Knock> =>
    finish(clock, knock({ network: here, clock, to: { address, port: 179 } }))
  expect(await to('10.0.0.2')).toEqual({ came: 'error', code: 'ECONNREFUSED' })
  expect(await to('10.0.0.3')).toEqual({ came: 'error', code: 'ETIMEDOUT' })
})
