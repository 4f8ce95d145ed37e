import { CarillonError, type SpeakerEvent, type SpeakerStatus } from '@carillon/core'
import { FakeClock } from '@carillon/core/testing'
import { expect, it } from 'vitest'
import { events } from './events.ts'

const event = (message: string): SpeakerEvent => ({
  at: '2026-01-01T00:00:00.000Z',
  type: 'peerDown',
  message,
})

it('following tells what is new, says once that nobody answers, and ends when it is told to', async () => {
  const clock = new FakeClock()
  const [out, err]: [string[], string[]] = [[], []]
  let answers: readonly (readonly SpeakerEvent[] | undefined)[] = [
    [event('one')],
    [event('one'), event('two')],
    undefined,
    undefined,
    [event('one'), event('two'), event('three')],
  ]
  const ask = async (): Promise<SpeakerStatus> => {
    const [next, ...rest] = answers
    answers = rest
    if (!next) throw new CarillonError('NO_SPEAKER', 'no speaker answers')
    return { node: 'node-a', startedAt: 'then', events: next } as unknown as SpeakerStatus
  }
  let stop = (): void => {}
  const stopped = new Promise<void>(resolve => {
    stop = resolve
  })
  const terminal = {
    print: (text: string) => out.push(text),
    warn: (text: string) => err.push(text),
    colour: false,
  }
  const followed = events({ ask, json: true, follow: true }, terminal, { clock, stopped })
  const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))
  await settled()
  while (answers.length > 0) {
    clock.advance(1000)
    await settled()
  }
  stop()
  expect(await followed).toBe(0)
  expect(out.map(text => (JSON.parse(text) as SpeakerEvent).message)).toEqual(['one', 'two', 'three'])
  expect(err).toEqual(['carillon: no speaker answers; asking again', 'carillon: node-a answers again'])
})
