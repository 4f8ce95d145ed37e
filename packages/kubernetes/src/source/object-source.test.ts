import type { CarillonError } from '@carillon/core'
import { FakeClock, settle } from '@carillon/core/testing'
import { describe, expect, it } from 'vitest'
import { Client, type KubeObject, type ResourceType } from '../client/index.ts'
import { ScriptedPeer } from '../support/scripted-peer.ts'
import { ObjectSource } from './object-source.ts'

interface Widget extends KubeObject {
  readonly spec: { readonly size: number }
}

const widgets: ResourceType = {
  group: 'example.org',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
}

const widget = (name: string, version: string, size = 1): Widget => ({
  metadata: { name, namespace: 'default', uid: name, resourceVersion: version },
  spec: { size },
})

function story() {
  const peer = new ScriptedPeer()
  const clock = new FakeClock()
  const source = new ObjectSource<Widget>({
    client: new Client({ transport: peer, clock }),
    type: widgets,
    clock,
    random: () => 0,
  })
  const told: string[] = []
  const failures: CarillonError[] = []
  const sizes = (objects: readonly Widget[]): string =>
    objects.map(({ metadata: { name }, spec }) => `${name}=${spec.size}`).join(' ')
  source.events.on('objects:changed', objects => told.push(sizes(objects)))
  source.events.on('source:failed', error => failures.push(error))
  return { peer, clock, source, told, failures, sizes }
}

describe('a source of objects of a kind of one’s own', () => {
  it('starts with all there are, and tells of every change once', async () => {
    const { peer, clock, source, told, sizes } = story()
    const started = source.start()
    const list = await peer.next('/widgets')
    expect(list.path).toBe('/apis/example.org/v1/widgets')
    await list.list('10', [widget('b', '2'), widget('a', '1')])
    expect(sizes(await started)).toBe('a=1 b=1')
    const watch = await peer.next('/widgets?watch')
    await watch.open()
    await watch.tell({ type: 'ADDED', object: widget('c', '11') })
    await watch.tell(
      { type: 'MODIFIED', object: widget('a', '12', 5) },
      { type: 'DELETED', object: widget('b', '13') },
    )
    await clock.advanceAsync(0)
    expect(told).toEqual(['a=5 c=1'])
    expect(source.current()).toBe(source.current())
    expect(sizes(source.current())).toBe('a=5 c=1')
  })

  it('keeps what it knows while the API server is away, and tells nothing when it comes back unchanged', async () => {
    const { peer, clock, source, told, failures, sizes } = story()
    const started = source.start()
    await (await peer.next('/widgets')).list('10', [widget('a', '1')])
    const before = await started
    const watch = await peer.next('/widgets?watch')
    await watch.open()
    await watch.tell({
      type: 'ERROR',
      object: { kind: 'Status', code: 410, reason: 'Expired', metadata: {} },
    })
    await (await peer.next('/widgets')).break('ECONNREFUSED')
    await clock.advanceAsync(30_000)
    await (await peer.next('/widgets')).break('ECONNREFUSED')
    expect(failures.map(({ code }) => code)).toEqual(['API_UNREACHABLE'])
    expect(source.current()).toBe(before)
    await clock.advanceAsync(30_000)
    await (await peer.next('/widgets')).list('20', [widget('a', '1')])
    await clock.advanceAsync(0)
    expect(told).toEqual([])
    expect(sizes(source.current())).toBe('a=1')
  })

  it('waits for a kind that is not defined yet, and says so', async () => {
    const { peer, clock, source, failures, sizes } = story()
    const started = source.start()
    await (await peer.next('/widgets')).refuse(404, 'NotFound', 'no such resource')
    expect(failures[0]?.message).toContain('widgets.example.org')
    await clock.advanceAsync(30_000)
    await (await peer.next('/widgets')).list('1', [widget('a', '1')])
    expect(sizes(await started)).toBe('a=1')
  })

  it('lets go of whoever waits for it when it is closed', async () => {
    const { peer, source } = story()
    const started = source.start().catch((error: CarillonError) => error.code)
    await peer.next('/widgets')
    await source[Symbol.asyncDispose]()
    await source[Symbol.asyncDispose]()
    expect(await started).toBe('API_CANCELLED')
    await settle()
    expect(peer.pending).toHaveLength(0)
  })

  it('gives a whole list anew when asked', async () => {
    const { peer, source, sizes } = story()
    const started = source.start()
    await (await peer.next('/widgets')).list('10', [widget('a', '1')])
    await started
    await (await peer.next('/widgets?watch')).open()
    const refreshed = source.refresh()
    await (await peer.next('/widgets?limit')).list('12', [widget('a', '1'), widget('b', '11')])
    expect(sizes(await refreshed)).toBe('a=1 b=1')
  })
})
