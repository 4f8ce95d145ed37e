import { CarillonError, type Clock, type Endpoint, type Link, type Network } from '@carillon/core'
import { answerPings, type Keyring, type OutsiderOptions, reach } from '@carillon/gossip'
import type { Finding } from '../finding.ts'
import { checkPort, checkReach, type Holder } from '../gossip.ts'
import { neighbouring } from './neighbouring.ts'
import { holderOf } from './proc.ts'

export interface GossipProbe {
  readonly network: Network
  readonly clock: Clock
  readonly random: () => number
  readonly links: readonly Link[]
  readonly bind: Endpoint
  readonly members: readonly Endpoint[]
  readonly keyring: Keyring
  readonly label?: string
}

/** Looks at the port of the gossip, and talks with the members over it. */
export async function probeGossip(probe: GossipProbe): Promise<readonly Finding[]> {
  const { network, bind, members, keyring, label } = probe
  const outsider: OutsiderOptions = { network, keyring, ...(label === undefined ? {} : { label }) }
  // Where no speaker runs something has to answer, so that members can be asked to call back.
  const answering = await open(() => answerPings(bind, outsider))
  const udp = await holder('udp', bind, answering)
  const tcp = await holder('tcp', bind, await open(() => network.listen(bind)), true)
  const answered = udp.state === 'free' || udp.state === 'held' || udp.state === 'unknown'
  try {
    const found = await Promise.all(
      members.map(async to => {
        const own = ownAddress(bind, to, probe.links)
        const back = answered && own !== undefined ? { back: { address: own, port: bind.port } } : {}
        return checkReach(to, await reach({ ...probe, ...outsider, to, ...back }))
      }),
    )
    return [checkPort(bind, 'UDP', udp), checkPort(bind, 'TCP', tcp), ...found.flat()]
  } finally {
    if (typeof answering !== 'string') await answering[Symbol.asyncDispose]()
  }
}

/** What was opened, or the code of the error. */
async function open(opening: () => Promise<AsyncDisposable>): Promise<AsyncDisposable | string> {
  try {
    return await opening()
  } catch (error) {
    return error instanceof CarillonError ? error.code : String(error)
  }
}

async function holder(
  protocol: 'udp' | 'tcp',
  { port }: Endpoint,
  opened: AsyncDisposable | string,
  close = false,
): Promise<Holder> {
  if (typeof opened !== 'string') {
    if (close) await opened[Symbol.asyncDispose]()
    return { state: 'free' }
  }
  if (opened !== 'EADDRINUSE') return { state: 'unbindable', code: opened }
  const found = await holderOf(protocol, port)
  return found ? { state: 'held', ...found } : { state: 'unknown' }
}

/** The address under which a member on one of our subnets sees us; undefined when that is not known. */
function ownAddress({ address }: Endpoint, to: Endpoint, links: readonly Link[]): string | undefined {
  if (address !== '0.0.0.0' && address !== '::') return address
  return neighbouring(to.address, links)?.address
}
