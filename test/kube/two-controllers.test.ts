import { Allocator, ConfigParser } from '@carillon/core'
import { connect, KubernetesSource, LeaderElection, ServiceStatusWriter } from '@carillon/kubernetes'
import { afterEach, expect, it } from 'vitest'
import type { Json } from './support/api.ts'
import { Story, until } from './support/story.ts'
import { Way } from './support/way.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]()
})

function keep<T extends AsyncDisposable>(one: T): T {
  open.push(one)
  return one
}

/** A controller that allocates while it leads; the README has it. */
async function controller(story: Story, identity: string) {
  const { namespace, clock, random } = story
  const way = keep(await Way.to(story.server.url))
  const { client } = await connect({
    kubeconfig: { getCurrentCluster: () => ({ server: way.url }), applyToHTTPSOptions: async () => {} },
  })
  keep(client)
  const world = { client, namespace, clock, random }
  const source = keep(new KubernetesSource({ ...world, kinds: ['services', 'namespaces', 'pools'] }))
  const election = keep(new LeaderElection({ ...world, name: 'controller', identity }))
  const writer = keep(
    new ServiceStatusWriter({
      ...world,
      mayWrite: () => election.leading,
      versionOf: service => source.versionOf('services', service),
    }),
  )
  const parser = new ConfigParser()
  let allocator: Allocator | undefined
  const reconcile = (): void => {
    const { config } = parser.parse(source.current())
    if (!config || !allocator) return
    const { services, namespaces } = source.current()
    const allocation = allocator.update({ services, namespaces, config })
    writer.reconcile(services, allocation.services, allocation.changed)
  }
  source.events.on('snapshot:changed', reconcile)
  election.events.on('leader:lost', () => {
    allocator = undefined
    writer.hold()
  })
  election.events.on('leader:elected', term => {
    void source.refresh().then(() => {
      if (term.aborted) return
      allocator = new Allocator()
      reconcile()
      writer.resume()
    })
  })
  await source.start()
  election.start()
  return {
    way,
    election,
    source,
    client,
    async kill() {
      for (const one of [writer, election, source, client]) await one[Symbol.asyncDispose]()
    },
  }
}

/** Addresses by Service; one that two have is an error. */
async function addresses(story: Story): Promise<ReadonlyMap<string, string>> {
  const services = await story.server.store.list<Json>({
    apiVersion: 'v1',
    kind: 'Service',
    namespace: 'default',
  })
  const found = new Map<string, string>()
  for (const { metadata, status } of services) {
    const address: string | undefined = status?.loadBalancer?.ingress?.[0]?.ip
    if (address === undefined) continue
    expect([...found.values()]).not.toContain(address)
    found.set(metadata.name, address)
  }
  return found
}

it('two controllers give every address once, whichever of them is killed, cut off or stopped in between', async () => {
  const story = keep(await Story.begin())
  await story.pool('first', '192.0.2.0/24')
  let made = 0
  const more = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) await story.service(`s${made++}`)
  }
  const served = async (): Promise<void> => {
    await until(async () => (await addresses(story)).size === made, story.clock, 50)
  }
  await more(10)
  const a = await controller(story, 'a')
  await until(() => a.election.leading, story.clock, 50)
  const b = await controller(story, 'b')
  await served()
  const first = await addresses(story)

  // The leader is cut off with work before it; the other takes over.
  await more(5)
  a.way.cut()
  await more(5)
  await until(() => b.election.leading, story.clock, 50)
  expect(a.election.leading).toBe(false)
  await served()

  // It comes back, with what it knew of an earlier term, and leads again when the other goes in good order.
  await more(5)
  a.way.mend()
  await served()
  await b.election.leave()
  await until(() => a.election.leading, story.clock, 50)
  await more(5)
  await served()

  // And a new one follows its sudden death.
  const c = await controller(story, 'c')
  await until(() => c.election.status().holder === 'a', story.clock, 50)
  await more(5)
  await a.kill()
  await served()
  expect(c.election.leading).toBe(true)

  // Nobody has lost what it had, and each Service cost one write.
  const last = await addresses(story)
  for (const [name, address] of first) expect(last.get(name)).toBe(address)
  expect(story.server.requests.writes('services/status')).toBe(made)
})
