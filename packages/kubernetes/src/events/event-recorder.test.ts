import { FakeClock, RecordingMetrics, settle } from '@carillon/core/testing'
import { expect, it } from 'vitest'
import { Client } from '../client/index.ts'
import { ScriptedPeer } from '../support/scripted-peer.ts'
import { defaultEventBook } from './event-book.ts'
import { EventRecorder } from './event-recorder.ts'

it('events that cannot be written pile up only so far, and the rest is dropped and counted', async () => {
  const peer = new ScriptedPeer()
  const clock = new FakeClock()
  const metrics = new RecordingMetrics()
  const recorder = new EventRecorder({
    client: new Client({ transport: peer, clock }),
    clock,
    random: () => 0,
    metrics,
    component: 'test',
    capacity: 100,
    book: { ...defaultEventBook, totalBurst: 10_000 },
  })
  for (let i = 0; i < 500; i++) {
    const about = { apiVersion: 'v1', kind: 'Service', namespace: 'a', name: `s${i}` }
    recorder.record({ about, type: 'Normal', reason: 'x', message: 'y' })
  }
  expect(recorder.status().pending).toBe(100)
  expect(metrics.value('carillon_k8s_events_dropped_total')).toBe(400)
  await settle()
  for (const request of peer.pending.splice(0)) await request.break('ECONNREFUSED')
  for (let minute = 0; minute < 10; minute++) {
    await clock.advanceAsync(60_000)
    for (const request of peer.pending.splice(0)) await request.break('ECONNREFUSED')
  }
  // One attempt at a time.
  expect(peer.log.length).toBeLessThan(50)
  expect(recorder.status()).toMatchObject({ pending: 100, failing: { error: { code: 'API_UNREACHABLE' } } })
  await recorder[Symbol.asyncDispose]()
  expect(clock.pending).toBe(0)
})
