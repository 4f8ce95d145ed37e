import { expect } from 'vitest'
import { type Cluster, story } from './support/cluster.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (payload: Uint8Array): string => new TextDecoder().decode(payload)

/** What each application was told. */
function inboxes(cluster: Cluster): Map<string, string[]> {
  const boxes = new Map<string, string[]>()
  for (const { name, gossip } of cluster.all) {
    const box: string[] = []
    boxes.set(name, box)
    gossip.on('user:message', payload => box.push(text(payload)))
  }
  return boxes
}

story('what an application broadcasts reaches the applications of all others', {}, async cluster => {
  await cluster.form(10)
  const boxes = inboxes(cluster)
  cluster.node('node-3').gossip.broadcast(bytes('hello'))
  await cluster.run(3000)
  for (const [name, box] of boxes)
    if (name !== 'node-3') expect([name, box.includes('hello')]).toEqual([name, true])
})

story('a message to one member reaches it alone, over UDP and reliably over TCP', {}, async cluster => {
  await cluster.form(3)
  const boxes = inboxes(cluster)
  const { gossip } = cluster.node('node-0')
  const quick = gossip.tell('node-1', bytes('quick'))
  const sure = gossip.tell('node-2', bytes('sure'), { reliable: true })
  const nobody = gossip.tell('stranger', bytes('lost'))
  await cluster.run(1000)
  expect([await quick, await sure, await nobody]).toEqual([true, true, false])
  expect([...boxes.values()]).toEqual([[], ['quick'], ['sure']])
})

story('what a member tells of itself is merged by those that it meets, both ways', {}, async cluster => {
  const merged = new Map<string, string[]>()
  for (const name of ['a', 'b']) {
    merged.set(name, [])
    await cluster.add(name, {
      delegate: {
        localState: join => bytes(`${name} is here${join ? ' and joins' : ''}`),
        mergeRemoteState: (state, join) => merged.get(name)?.push(`${text(state)} ${join}`),
      },
    })
  }
  await cluster.run(1000)
  expect(merged.get('a')?.[0]).toBe('b is here and joins true')
  expect(merged.get('b')?.[0]).toBe('a is here and joins true')
  await cluster.run(61_000)
  expect(merged.get('a')).toContain('b is here false')
})

story('metadata is seen by all, and so is its change', {}, async cluster => {
  await cluster.form(5, { meta: bytes('v1') })
  cluster.node('node-2').gossip.updateMeta(bytes('v2'))
  await cluster.until('all see it', 5000, () =>
    cluster.all.every(({ gossip }) => text(gossip.members()[2]?.meta ?? bytes('')) === 'v2'),
  )
  const others = cluster.all.filter(({ name }) => name !== 'node-2')
  for (const { noticed } of others) expect(noticed.filter(({ what }) => what === 'update')).toHaveLength(1)
})

story('an application whose listener throws does not harm the protocol', { seeds: [1] }, async cluster => {
  await cluster.form(3)
  for (const { gossip } of cluster.all)
    gossip.on('membership:changed', () => {
      throw new Error('my own fault')
    })
  await cluster.kill(cluster.node('node-2'))
  await cluster.until('the death is known', 2000, () => cluster.agreed())
})
