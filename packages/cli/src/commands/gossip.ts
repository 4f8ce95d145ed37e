import { hostname } from 'node:os'
import { Gossip, KeyFile, Keyring, type MemberInfo, type ProfileName } from '@carillon/gossip'
import { systemNetwork } from '@carillon/sockets'
import { parseEndpoint } from '../endpoint.ts'
import { makeLogger } from '../log.ts'
import type { Terminal } from '../terminal.ts'

export interface GossipCommandOptions {
  readonly name?: string
  readonly bind: string
  readonly advertise?: string
  readonly join?: readonly string[]
  readonly keyFile?: string
  readonly label?: string
  readonly profile: ProfileName
  readonly delegateVersions?: readonly [number, number, number]
}

/** `carillon gossip`: runs until SIGTERM or SIGINT, then leaves. */
export async function gossip(options: GossipCommandOptions, terminal: Terminal): Promise<number> {
  const { name = hostname(), bind, advertise, join = [], keyFile, label, profile, delegateVersions } = options
  const { address, port } =
    advertise === undefined ? { address: undefined, port: 0 } : parseEndpoint('--advertise', advertise, 0)
  const stopped = new Promise<void>(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve())
  })
  const keyring = new Keyring()
  const keys = keyFile === undefined ? undefined : await KeyFile.open({ path: keyFile, keyring })
  const member = await Gossip.create({
    name,
    network: systemNetwork(),
    bind: parseEndpoint('--bind', bind, 7946),
    join,
    profile,
    log: await makeLogger('warn', 'json'),
    advertise: { ...(address === undefined ? {} : { address }), ...(port === 0 ? {} : { port }) },
    keyring,
    ...(label === undefined ? {} : { label }),
    ...(delegateVersions === undefined ? {} : { delegateVersions }),
  })
  const print = (event: string, about: MemberInfo): void => {
    terminal.print(
      JSON.stringify({ event, name: about.name, address: about.address, at: new Date().toISOString() }),
    )
  }
  for (const event of ['join', 'update', 'suspect', 'leave', 'dead'] as const) {
    member.on(`member:${event}`, about => print(event, about))
  }
  // We were the first to join, before anybody could listen.
  for (const about of member.members()) print('join', about)
  await stopped
  await member.leave()
  await member[Symbol.asyncDispose]()
  await keys?.[Symbol.asyncDispose]()
  return 0
}
