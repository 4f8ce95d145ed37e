import { LeaderElection } from '@carillon/kubernetes'
import { afterEach, describe, expect, it } from 'vitest'
import type { Json } from './support/api.ts'
import { Story, until } from './support/story.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

async function begin(): Promise<Story> {
  const story = await Story.begin()
  open.push(story)
  return story
}

function candidate(story: Story, identity: string) {
  const { client, namespace, clock, random, log } = story
  const election = new LeaderElection({
    client,
    namespace,
    name: 'carillon-controller',
    identity,
    clock,
    random,
    log,
  })
  open.push(election)
  const told: string[] = []
  const terms: AbortSignal[] = []
  election.events.on('leader:elected', term => {
    told.push('elected')
    terms.push(term)
  })
  election.events.on('leader:lost', () => told.push('lost'))
  election.start()
  return { election, told, terms }
}

const spec = async (story: Story): Promise<Json> =>
  (
    await story.server.store.get<Json>({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      namespace: story.namespace,
      name: 'carillon-controller',
    })
  )?.spec

describe('of two controllers', () => {
  it('one leads, for as long as it renews its Lease', async () => {
    const story = await begin()
    const a = candidate(story, 'a')
    await until(() => a.election.leading)
    const b = candidate(story, 'b')
    for (let i = 0; i < 30; i++) {
      const { renewTime } = await spec(story)
      await story.clock.advanceAsync(2000)
      await until(async () => (await spec(story)).renewTime !== renewTime)
      expect([a.election.leading, b.election.leading]).toEqual([true, false])
    }
    expect(await spec(story)).toMatchObject({
      holderIdentity: 'a',
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      acquireTime: '2026-01-01T00:00:00.000000Z',
    })
    expect(b.election.status()).toEqual({ leading: false, holder: 'a' })
    expect([a.told, b.told]).toEqual([['elected'], []])
  })

  it('the other takes over when the leader has died, and not before its Lease has ended', async () => {
    const story = await begin()
    const a = candidate(story, 'a')
    await until(() => a.election.leading)
    const b = candidate(story, 'b')
    await until(() => b.election.status().holder === 'a', story.clock)
    await a.election[Symbol.asyncDispose]()
    const died = story.clock.now()
    await until(() => b.election.leading, story.clock, 100)
    expect(story.clock.now() - died).toBeGreaterThan(10_000)
    expect(await spec(story)).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1 })
  })

  it('the other takes over within seconds when the leader goes in good order', async () => {
    const story = await begin()
    const a = candidate(story, 'a')
    await until(() => a.election.leading)
    const b = candidate(story, 'b')
    await until(() => b.election.status().holder === 'a', story.clock)
    const left = a.election.leave()
    expect(a.election.leading).toBe(false)
    await left
    expect(a.told).toEqual(['elected', 'lost'])
    expect((await spec(story)).holderIdentity).toBe('')
    const gone = story.clock.now()
    await until(() => b.election.leading, story.clock, 10)
    expect(story.clock.now() - gone).toBeLessThan(4000)
  })

  it('neither leads while the API server is away, and the leader knows so before its Lease ends', async () => {
    const story = await begin()
    const a = candidate(story, 'a')
    await until(() => a.election.leading)
    await story.server.faults.down()
    const since = story.clock.now()
    await until(() => !a.election.leading, story.clock, 10)
    expect(story.clock.now() - since).toBeLessThanOrEqual(10_000)
    await until(() => a.told.includes('lost'), story.clock, 10)
    const warnings = story.log.lines.filter(
      ({ message }) => message === 'the Lease cannot be read or written',
    )
    expect(warnings.map(({ fields }) => fields.code)).toEqual(['API_UNREACHABLE'])
    await story.server.faults.up()
    await until(() => a.election.leading, story.clock, 100)
    expect(a.told).toEqual(['elected', 'lost', 'elected'])
    expect(a.terms.map(({ aborted }) => aborted)).toEqual([true, false])
  })

  it('the leader gives way at once to whoever has taken its Lease by force', async () => {
    const story = await begin()
    const a = candidate(story, 'a')
    await until(() => a.election.leading)
    const name = { namespace: story.namespace, name: 'carillon-controller' }
    const lease = await story.server.store.get<Json>({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      ...name,
    })
    await story.server.store.update({
      ...lease,
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      spec: { ...lease.spec, holderIdentity: 'somebody' },
    })
    await story.clock.advanceAsync(2000)
    await until(() => a.told.includes('lost'))
    expect(a.election.leading).toBe(false)
    await until(() => a.election.status().holder === 'somebody')
  })
})
