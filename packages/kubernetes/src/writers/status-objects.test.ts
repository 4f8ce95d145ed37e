import { FakeClock } from '@carillon/core/testing'
import { describe, expect, it } from 'vitest'
import { Client, resourceTypes } from '../client/index.ts'
import { ScriptedPeer } from '../support/scripted-peer.ts'
import { type StatusObject, StatusObjects } from './status-objects.ts'

const saying = (word: string): ReadonlyMap<string, StatusObject> =>
  new Map([['x', { labels: { a: 'b' }, status: () => ({ word }) }]])

const object = (version: string, word?: string): object => ({
  metadata: { name: 'x', namespace: 'n', uid: 'u', resourceVersion: version, labels: { a: 'b' } },
  ...(word === undefined ? {} : { status: { word } }),
})

function story() {
  const peer = new ScriptedPeer()
  const clock = new FakeClock()
  const client = new Client({ transport: peer, clock })
  const objects = new StatusObjects(
    { client, clock, random: () => 0, namespace: 'n' },
    { type: resourceTypes.serviceL2Statuses, name: 'test', labelSelector: 'a=b' },
  )
  return { peer, clock, objects }
}

/** Objects of which one says `a`. */
async function written() {
  const parts = story()
  parts.objects.reconcile(saying('a'))
  await (await parts.peer.next('servicel2statuses?')).list('1', [])
  await (await parts.peer.next()).reply(201, object('2'))
  await (await parts.peer.next('x/status')).reply(200, object('3', 'a'))
  await parts.objects.idle()
  return parts
}

describe('objects that exist for their status', () => {
  it('say what is wanted last, also when that is what they said before a write that is still under way', async () => {
    const { peer, objects } = await written()
    objects.reconcile(saying('b'))
    const first = await peer.next('x/status')
    objects.reconcile(saying('a'))
    await first.reply(200, object('4', 'b'))
    const second = await peer.next('x/status')
    expect(second.body).toMatchObject({ status: { word: 'a' } })
    await second.reply(200, object('5', 'a'))
    await objects.idle()
    expect(peer.pending).toEqual([])
  })

  it('that were removed and wanted again at once are there', async () => {
    const { peer, objects } = await written()
    objects.reconcile(new Map())
    const removal = await peer.next()
    expect(removal.method).toBe('DELETE')
    objects.reconcile(saying('a'))
    await removal.reply(200, { kind: 'Status', metadata: {}, status: 'Success' })
    const again = await peer.next()
    expect(again.method).toBe('POST')
    await again.reply(201, object('8'))
    await (await peer.next('x/status')).reply(200, object('9', 'a'))
    await objects.idle()
  })

  it('are not made anew because a list, begun before they were made, does not have them', async () => {
    const { peer, clock, objects } = await written()
    await clock.advanceAsync(600_000)
    const list = await peer.next('servicel2statuses?')
    objects.reconcile(new Map([...saying('a'), ['y', { labels: {}, status: () => ({ word: 'y' }) }]]))
    const y = { name: 'y', namespace: 'n', uid: 'v' }
    await (await peer.next()).reply(201, { metadata: { ...y, resourceVersion: '11' } })
    await (await peer.next('y/status')).reply(200, {
      metadata: { ...y, resourceVersion: '12' },
      status: { word: 'y' },
    })
    await list.list('10', [object('3', 'a')])
    await objects.idle()
    expect(peer.pending).toEqual([])
  })

  it('that somebody else has changed are looked at before they are written again', async () => {
    const { peer, clock, objects } = await written()
    objects.reconcile(saying('b'))
    await (await peer.next('x/status')).refuse(409, 'Conflict')
    await (await peer.next('/x')).reply(200, object('7', 'c'))
    await clock.advanceAsync(100)
    const again = await peer.next('x/status')
    expect(again.body).toMatchObject({ status: { word: 'b' } })
    await again.reply(200, object('8', 'b'))
    await objects.idle()
  })
})
