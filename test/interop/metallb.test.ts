import { createHash } from 'node:crypto'
import type { Member, SpeakerStatus } from '@carillon/core'
import { expect, it } from 'vitest'
import { l2, node, pool, service } from '../lab/support/manifests.ts'
import { bin, eventually } from '../lab/support/speaker-lab.ts'
import { GossipLab } from './support/gossip-lab.ts'
import { describeInterop } from './support/needs.ts'
import { withPort } from './support/peer.ts'

const addresses = ['10.79.0.100', '10.79.0.101', '10.79.0.102', '10.79.0.103']
const ours = ['node-a', 'node-b']
const theirs = ['node-c', 'node-d', 'node-e']

/** Who speaks for an address among MetalLB's speakers: whose hash of name and address is lowest. */
const elected = (address: string, names: readonly string[]): string => {
  const rank = (name: string): string => createHash('sha256').update(`${name}#${address}`).digest('hex')
  return [...names].sort((a, b) => (rank(a) < rank(b) ? -1 : 1))[0] ?? ''
}

describeInterop('A cluster that is on its way from MetalLB', () => {
  it.concurrent('elects among our speakers and theirs, and notices who goes', async () => {
    await using lab = await GossipLab.build('metallb', [...ours, ...theirs])
    const secret = 'Rz3lLPXWVIKlW8hGqPdcDQ'
    const filling = createHash('sha256').update('').digest()
    const keys = [
      Buffer.concat([Buffer.from(secret), filling])
        .subarray(0, 32)
        .toString('hex'),
    ]
    const keyFile = await lab.file('secretkey', secret)
    const services = addresses.map((address, i) => service(`web-${i}`, { addresses: [address] }))
    const cluster = [
      pool('lan', '10.79.0.100-10.79.0.120'),
      l2('all'),
      ...[...ours, ...theirs].map(one => node(one)),
    ]
    const manifests = await lab.file('cluster.yaml', [...cluster, ...services].join(''))

    await lab.start('go', 'node-c', { keys, bare: true })
    await lab.start('go', 'node-d', { keys, bare: true, join: ['node-c'] })
    const victim = await lab.start('go', 'node-e', { keys, bare: true, join: ['node-d'] })
    const speakers = ours.map(name => {
      const words = ['--node', name, '--manifests', manifests, '--log-level', 'warn']
      const at = [
        '--gossip-bind',
        withPort(lab.address(name)),
        '--gossip-join',
        withPort(lab.address('node-c')),
      ]
      const how = ['--gossip-key-file', keyFile]
      const child = lab.net.spawn(name, process.execPath, [bin, 'run', ...words, ...at, ...how])
      return { child, exit: new Promise(resolve => child.once('exit', resolve)) }
    })
    const ask = async <T>(name: string, command: string): Promise<T | undefined> => {
      const { stdout } = await lab.net.exec(name, process.execPath, [bin, command, '--json'])
      return stdout === '' ? undefined : (JSON.parse(stdout) as T)
    }
    /** Waits until both of our speakers see exactly `alive`, and each address with its elected owner. */
    const settled = async (alive: readonly string[]): Promise<void> => {
      const wanted = addresses.map(address => `${address} ${elected(address, alive)}`).join(', ')
      for (const name of ours)
        await eventually(
          `${name} sees ${alive.join(' ')}, and ${wanted}`,
          async () => {
            const members = (await ask<readonly Member[]>(name, 'members')) ?? []
            const living = members.filter(({ liveness }) => liveness === 'alive').map(member => member.name)
            const status = await ask<SpeakerStatus>(name, 'status')
            const owners = status?.services.map(one => `${one.addresses[0]} ${one.owner}`).join(', ')
            return (living.sort().join(' ') === alive.join(' ') && owners === wanted) || undefined
          },
          30,
        )
    }
    await settled([...ours, ...theirs])
    await lab.agree([...ours, ...theirs])
    const from = performance.now()
    await victim.kill()
    await settled(['node-a', 'node-b', 'node-c', 'node-d'])
    await lab.agree(['node-a', 'node-b', 'node-c', 'node-d'])

    // Two who stop say so: theirs know at once.
    for (const { child } of speakers) child.kill('SIGTERM')
    const stopped = performance.now()
    await lab.agree(['node-c', 'node-d'])
    expect(performance.now() - stopped).toBeLessThan(4000)
    expect(await Promise.all(speakers.map(({ exit }) => exit))).toEqual([0, 0])
    for (const peer of lab.running)
      expect(
        peer
          .departures(from)
          .map(said => said.name)
          .sort(),
      ).toEqual(['node-a', 'node-b', 'node-e'])
  })
})
