import { Controller, ensureMemberlistSecret, KubernetesSource, LeaderElection } from '@carillon/kubernetes'
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

async function controller(story: Story, identity: string): Promise<Controller> {
  const { client, namespace, clock, random, log, metrics } = story
  const common = { client, namespace, clock, random, log, metrics }
  const source = new KubernetesSource({ ...common, kinds: ['services', 'namespaces', 'pools'] })
  const election = new LeaderElection({ ...common, name: 'carillon-controller', identity })
  const one = new Controller({ ...common, source, election })
  open.push(source, election, one)
  await one.start()
  return one
}

const pool = (story: Story, name: string, ...addresses: readonly string[]): Promise<unknown> =>
  story.server.store.create({
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPAddressPool',
    metadata: { name, namespace: story.namespace },
    spec: { addresses: [...addresses] },
  })

const read = async (story: Story, name: string): Promise<Json> =>
  await story.server.store.get<Json>({ apiVersion: 'v1', kind: 'Service', namespace: 'default', name })

const addressOf = async (story: Story, name: string): Promise<string | undefined> =>
  (await read(story, name))?.status?.loadBalancer?.ingress?.[0]?.ip

const writes = (story: Story): number =>
  story.server.requests.writes('services') + story.server.requests.writes('services/status')

describe('a controller', () => {
  it('gives every Service an address of a pool by one write, and says which pool it is from', async () => {
    const story = await begin()
    await pool(story, 'first', '192.0.2.0-192.0.2.9')
    await story.service('a')
    const one = await controller(story, 'a')
    await until(async () => (await addressOf(story, 'a')) === '192.0.2.0', story.clock)
    await story.service('b')
    await until(async () => (await addressOf(story, 'b')) === '192.0.2.1', story.clock)
    expect((await read(story, 'b')).metadata.annotations).toEqual({
      'metallb.io/ip-allocated-from-pool': 'first',
    })
    expect((await read(story, 'b')).status.loadBalancer.ingress).toEqual([{ ip: '192.0.2.1', ipMode: 'VIP' }])
    await until(() => one.status().writers.every(writer => writer.pending === 0), story.clock, 50)
    expect(writes(story)).toBe(2)
    const status = await story.server.store.get<Json>({
      apiVersion: 'metallb.io/v1beta1',
      kind: 'IPAddressPool',
      namespace: story.namespace,
      name: 'first',
    })
    expect(status.status).toMatchObject({ assignedIPv4: 2, availableIPv4: 8 })
  })

  it('hands over to another one that allocates nothing twice', async () => {
    const story = await begin()
    await pool(story, 'first', '192.0.2.0-192.0.2.9')
    for (const name of ['a', 'b']) await story.service(name)
    const first = await controller(story, 'one')
    await until(async () => (await addressOf(story, 'b')) !== undefined, story.clock)
    const second = await controller(story, 'two')
    expect(second.status().allocating).toBe(false)
    const before = [await addressOf(story, 'a'), await addressOf(story, 'b')]
    await first[Symbol.asyncDispose]()
    await story.service('c')
    await until(async () => (await addressOf(story, 'c')) !== undefined, story.clock, 20)
    expect([await addressOf(story, 'a'), await addressOf(story, 'b')]).toEqual(before)
    expect(new Set([...before, await addressOf(story, 'c')]).size).toBe(3)
  })

  it('keeps what Services have while a pool is wrong, and says what is wrong with it', async () => {
    const story = await begin()
    await pool(story, 'first', '192.0.2.0-192.0.2.9')
    await story.service('a')
    const one = await controller(story, 'a')
    await until(async () => (await addressOf(story, 'a')) !== undefined, story.clock)
    await pool(story, 'second', '192.0.2.5-192.0.2.20')
    await until(() => one.status().configuration === 'stale', story.clock)
    await story.service('b')
    await until(async () => (await addressOf(story, 'b')) === '192.0.2.1', story.clock)
    expect(await addressOf(story, 'a')).toBe('192.0.2.0')
    const said = async (): Promise<Json> =>
      await story.server.store.get<Json>({
        apiVersion: 'metallb.io/v1beta1',
        kind: 'ConfigurationState',
        namespace: story.namespace,
        name: 'controller',
      })
    await until(async () => (await said())?.status?.result === 'Invalid', story.clock, 50)
    expect((await said()).status.errorSummary).toMatch(/IPAddressPool second spec.addresses\[0\]: .*first/)
  })

  it('makes the secret of the gossip once, as MetalLB does', async () => {
    const story = await begin()
    const options = { client: story.client, namespace: story.namespace, name: 'memberlist' }
    expect(await ensureMemberlistSecret(options)).toBe(true)
    expect(await ensureMemberlistSecret(options)).toBe(false)
    const secret = await story.server.store.get<Json>({
      apiVersion: 'v1',
      kind: 'Secret',
      namespace: story.namespace,
      name: 'memberlist',
    })
    expect(Buffer.from(secret.data.secretkey, 'base64').toString()).toMatch(/^[A-Za-z0-9+/]{22}$/)
  })
})
