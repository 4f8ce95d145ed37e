// A member of a gossip cluster as another program embeds it. Its argument is a `PeerOptions` in JSON; it prints the same lines and
// obeys the same commands as the Go program in memberlist-peer/, and `refused`: what was refused, by cause.
import { createInterface } from 'node:readline'
import { deriveMetalLBKey, Gossip, KeyFile, Keyring, type ProfileName } from '@carillon/gossip'
import { systemNetwork } from '@carillon/sockets'
import type { PeerOptions } from '../support/peer.ts'

const told = JSON.parse(process.argv[2] ?? '{}') as PeerOptions

const say = (line: object): boolean => process.stdout.write(`${JSON.stringify(line)}\n`)
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const keyOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

const derived = told.secret === undefined ? undefined : deriveMetalLBKey(Buffer.from(told.secret))
const keyring = new Keyring(derived ? [derived] : (told.keys ?? []).map(keyOf))
if (told.keyFile !== undefined)
  await KeyFile.open({ path: told.keyFile, keyring, pollMs: 100, settleMs: 1500, keepMs: 1500 })
let state = Buffer.from(told.state ?? '')

const gossip = await Gossip.create({
  name: told.name,
  network: systemNetwork(),
  bind: { address: told.address, port: 7946 },
  profile: (told.profile ?? 'fast') as ProfileName,
  settings: {
    enableCompression: told.compress ?? true,
    deadNodeReclaimMs: (told.reclaimSeconds ?? 0) * 1000,
  },
  keyring,
  label: told.label ?? '',
  meta: Buffer.from(told.meta ?? ''),
  join: told.join,
  delegate: {
    localState: () => state,
    mergeRemoteState: (bytes, join) => say({ event: 'state', text: text(bytes), join }),
    userMessage: bytes => say({ event: 'message', text: text(bytes) }),
  },
  ...(told.besideSerf && { delegateVersions: [2, 5, 5] as const }),
})

for (const event of ['join', 'update', 'suspect', 'leave', 'dead'] as const)
  gossip.on(`member:${event}`, ({ name, address, meta }) => say({ event, name, address, meta: text(meta) }))
gossip.on('member:conflict', ({ name }, address) => say({ event: 'conflict', name, address }))
// We have been a member since before anybody could listen.
say({ event: 'ready' })

async function perform(line: string): Promise<unknown> {
  const [word, first = '', second = '', ...more] = line.split(' ')
  const rest = line.slice((word ?? '').length + 1)
  switch (word) {
    case 'members':
      return gossip
        .members()
        .filter(({ name }) => gossip.alive().has(name))
        .map(({ name, address, meta }) => ({ name, address, meta: text(meta) }))
    case 'health':
      return gossip.stats().healthScore
    case 'refused':
      return gossip.stats().dropped
    case 'join':
      return gossip.join(rest)
    case 'leave':
      await gossip.leave()
      return true
    case 'meta':
      gossip.updateMeta(Buffer.from(rest))
      return true
    case 'state':
      state = Buffer.from(rest)
      return true
    case 'broadcast':
      gossip.broadcast(Buffer.from(rest))
      return true
    case 'send':
      return gossip.tell(first, Buffer.from(more.join(' ')), { reliable: second === 'stream' })
    case 'key':
      if (first === 'add') keyring.add(keyOf(second))
      else if (first === 'use') keyring.use(keyOf(second))
      else if (first === 'remove') keyring.remove(keyOf(second))
      else break
      return true
  }
  throw new Error(`not understood: ${line}`)
}

// One after the other, so that the answers are in order.
let turn: Promise<unknown> = Promise.resolve()
createInterface(process.stdin).on('line', line => {
  turn = turn
    .then(() => perform(line))
    .then(
      answer => say({ answer }),
      (error: Error) => say({ error: error.message }),
    )
})

process.once('SIGTERM', async () => {
  await gossip.leave()
  await gossip[Symbol.asyncDispose]()
  process.exit(0)
})
