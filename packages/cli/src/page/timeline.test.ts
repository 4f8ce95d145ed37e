import type { SpeakerEvent } from '@carillon/core'
import { expect, it } from 'vitest'
import { Timeline } from './timeline.ts'

const at = (ms: number): string => new Date(Date.UTC(2026, 0, 1) + ms).toISOString()

const move = (ms: number, n: number, fields: Partial<SpeakerEvent>): SpeakerEvent => ({
  at: at(ms),
  type: 'ownerChanged',
  message: '',
  services: [`default/s${n}`],
  address: `10.0.0.${n}`,
  ...fields,
})

it('the Services of a dead node are one entry, with who has them now and the longest gap', () => {
  const timeline = new Timeline()
  const dead = { from: 'node-b', because: 'notAlive' } as const
  for (let n = 1; n <= 30; n++)
    timeline.add(move(n, n, { ...dead, to: n % 3 === 0 ? 'node-c' : 'node-a', gapMs: 250 + n }))
  expect(timeline.list()).toEqual([
    {
      id: 1,
      at: at(1),
      type: 'moved',
      message: 'node-b died',
      from: 'node-b',
      because: 'notAlive',
      gapMs: 280,
      count: 30,
      to: [
        { node: 'node-a', count: 20 },
        { node: 'node-c', count: 10 },
      ],
      addresses: Array.from({ length: 12 }, (_, i) => `10.0.0.${i + 1}`),
    },
  ])
})

it('says why Services moved, and keeps apart what has different reasons or happened later', () => {
  const timeline = new Timeline()
  timeline.add(move(0, 1, { to: 'node-a' }))
  timeline.add(move(5000, 1, { from: 'node-a', to: 'node-b', because: 'notAlive', gapMs: 0 }))
  timeline.add(move(5001, 2, { from: 'node-a', to: 'node-b', because: 'noLocalEndpoints' }))
  timeline.add(move(5002, 3, { from: 'node-a', because: 'noEndpoints' }))
  timeline.add(move(9000, 1, { from: 'node-b', to: 'node-a', because: 'notOwner' }))
  timeline.add(move(9001, 4, { from: 'node-b' }))
  timeline.add(move(9002, 5, { from: 'node-b', to: 'node-a', because: 'notAlive' }))
  expect(timeline.list().map(({ message, to, gapMs }) => [message, to, gapMs])).toEqual([
    ['node-b is gone', [{ node: 'node-a', count: 1 }], undefined],
    ['node-b gave up what is no more', [{ count: 1 }], undefined],
    ['another node comes before node-b', [{ node: 'node-a', count: 1 }], undefined],
    ['node-a may not speak: no endpoint of the Service can serve', [{ count: 1 }], undefined],
    [
      'node-a may not speak: externalTrafficPolicy is Local and no endpoint on the node can serve',
      [{ node: 'node-b', count: 1 }],
      undefined,
    ],
    ['node-a left, and handed over', [{ node: 'node-b', count: 1 }], 0],
    ['found an owner', [{ node: 'node-a', count: 1 }], undefined],
  ])
})

it('what is told again and again is one entry, and old entries make room', () => {
  const timeline = new Timeline(3)
  for (let ms = 0; ms < 1000; ms += 100)
    timeline.add({ at: at(ms), type: 'addressConflict', message: 'somebody has it', address: '10.0.0.1' })
  expect(timeline.list()).toEqual([
    {
      id: 1,
      at: at(0),
      type: 'addressConflict',
      message: 'somebody has it',
      addresses: ['10.0.0.1'],
      count: 10,
    },
  ])
  for (let n = 1; n <= 3; n++)
    timeline.add({
      at: at(5000),
      type: 'announcementFailed',
      message: `no way for 10.0.0.${n}`,
      address: `10.0.0.${n}`,
    })
  expect(timeline.list()[0]).toMatchObject({
    message: 'no way for 10.0.0.1',
    count: 3,
    addresses: ['10.0.0.1', '10.0.0.2', '10.0.0.3'],
  })
  for (let n = 0; n < 5; n++) timeline.add({ at: at(60_000 * n), type: 'peerUp', message: `peer ${n}` })
  expect(timeline.list().map(({ message }) => message)).toEqual(['peer 4', 'peer 3', 'peer 2'])
})
