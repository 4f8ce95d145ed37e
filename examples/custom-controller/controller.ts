// Floating addresses: each FloatingAddress gets an address of the pool, and one living node answers for it. Run one of these on every node.
import { randomUUID } from 'node:crypto'
import { env, exit } from 'node:process'
import { arp } from '@carillon/arp'
import { AddressPool, announcerContext, CarillonError, elect } from '@carillon/core'
import { Gossip } from '@carillon/gossip'
import { connect, type KubeObject, LeaderElection, ObjectSource } from '@carillon/kubernetes'
import { systemNetwork } from '@carillon/sockets'

interface FloatingAddress extends KubeObject {
  readonly spec?: { readonly address?: string }
  readonly status?: { readonly address?: string; readonly node?: string; readonly message?: string }
}

const names = { kind: 'FloatingAddress', plural: 'floatingaddresses' }
const type = { group: 'example.org', version: 'v1', ...names, namespaced: true }
const { NODE: node = 'node', POOL = '', JOIN = '' } = env

const network = systemNetwork()
const { client, namespace = 'default' } = await connect()
const pool = new AddressPool(POOL.split(','))
const objects = new ObjectSource<FloatingAddress>({ client, type })
const gossip = await Gossip.create({ name: node, network, join: JOIN.split(',') })
const leader = new LeaderElection({ client, namespace, name: 'floating-addresses', identity: randomUUID() })
const announcer = arp()(announcerContext({ node, network }))
/** What this node answers for and has told Kubernetes of: addresses by object. */
const told = new Map<string, string>()

const keyOf = ({ metadata: { namespace, name } }: FloatingAddress): string => `${namespace}/${name}`

/** Writes some of an object's status. What cannot be written now is tried again in a later turn. */
async function write({ metadata }: FloatingAddress, status: object, over: object = {}): Promise<boolean> {
  const { namespace, name = '' } = metadata
  try {
    await client.patch(type, { namespace, name, subresource: 'status' }, { metadata: over, status })
    return true
  } catch (error) {
    // Where somebody else was faster, the next change tells what there is now.
    if (!(error instanceof CarillonError) || error.code !== 'API_CONFLICT') console.error(String(error))
    return false
  }
}

/** The leader's part: an address for each object. Writes over no change that it has not seen. */
function allocate(): void {
  const all = objects.current()
  const grants = pool.assign(
    all.map(one => ({ name: keyOf(one), holds: one.status?.address, wants: one.spec?.address })),
  )
  for (const object of all) {
    const { address, because } = grants.get(keyOf(object)) ?? {}
    if (address === object.status?.address && because === object.status?.message) continue
    const { resourceVersion } = object.metadata
    void write(object, { address: address ?? null, message: because ?? null }, { resourceVersion })
  }
}

/** Every node's part: whoever is elected among the living answers, and says so once. */
function announce(): void {
  const nodes = [...gossip.alive()].map(name => ({ node: name }))
  const mine = new Map<string, string>()
  for (const object of objects.current()) {
    const { address } = object.status ?? {}
    // A node that was stopped for a while may have lost its addresses to others.
    if (address === undefined || gossip.standing() === 'paused' || elect(address, nodes) !== node) continue
    const key = keyOf(object)
    mine.set(key, address)
    if (told.get(key) !== address) void write(object, { node }).then(done => done || told.delete(key))
    told.set(key, address)
  }
  for (const key of told.keys()) if (!mine.has(key)) told.delete(key)
  announcer.announce(
    [...mine].map(([key, address]) => ({ address, services: [key], options: { interfaces: 'all' } })),
  )
}

function turn(): void {
  if (leader.leading) allocate()
  announce()
}

await Promise.all([announcer.start(), objects.start()])
leader.start()
leader.events.on('leader:elected', () => void objects.refresh().then(turn))
objects.events.on('objects:changed', turn)
gossip.on('membership:changed', announce)
gossip.on('standing:changed', announce)
setInterval(turn, 5000)
announce()
console.log(`${node} is ready`)

process.once('SIGTERM', async () => {
  await Promise.all([gossip.leave(), leader.leave()])
  await announcer[Symbol.asyncDispose]()
  exit()
})
