import { createHash } from 'node:crypto'
import type { Member, SpeakerStatus } from '@carillon/core'
import { expect, it } from 'vitest'
import { inDefault, inSystem, KubeLab } from '../lab/support/kube-lab.ts'
import { endpoints, l2, node, pool, service } from '../lab/support/manifests.ts'
import { describeLab } from '../lab/support/needs.ts'
import { bin, eventually } from '../lab/support/speaker-lab.ts'
import { CommandPeer } from './support/command-peer.ts'
import { elected } from './support/elected.ts'
import { GossipLab } from './support/gossip-lab.ts'
import { memberlistPeer, memberlistSource } from './support/memberlist-peer.ts'
import { describeInterop } from './support/needs.ts'
import { withPort } from './support/peer.ts'

const addresses = ['10.79.0.100', '10.79.0.101', '10.79.0.102', '10.79.0.103']
const ours = ['node-a', 'node-b']
const theirs = ['node-c', 'node-d', 'node-e']

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

describeLab('Speakers in Kubernetes and those of MetalLB', ['go', memberlistSource, 'kubectl'], () => {
  it('name the same owner of a thousand addresses, whoever is killed', { timeout: 180_000 }, async () => {
    const [ours, theirs] = [
      ['node-a', 'node-b', 'node-c'],
      ['node-d', 'node-e'],
    ]
    const all = [...ours, ...theirs]
    const thousand = Array.from(
      { length: 1000 },
      (_, i) => `10.77.${4 + Math.floor(i / 250)}.${1 + (i % 250)}`,
    )
    const services = thousand.map((address, i) =>
      inDefault(service(`web-${i}`, { addresses: [address] }) + endpoints(`web-${i}`, ...all)),
    )
    await using lab = await KubeLab.build('mixed', all, [
      ...all.map(name => node(name)),
      inSystem(pool('lan', '10.77.4.0/22')),
      inSystem(l2('all')),
      ...services,
    ])
    lab.controller(0, '--ml-secret-name', 'memberlist')
    const secret = await lab.mountSecret('memberlist')
    const { net } = lab.speakers
    const go = async (name: string): Promise<CommandPeer> => {
      const address = lab.addressOf(name)
      const join = ours.map(other => lab.addressOf(other))
      const words = ['-name', name, '-bind', address, '-bare', '-secret', secret]
      for (const other of join) words.push('-join', withPort(other))
      const pipes = { stdio: ['pipe', 'pipe', 'pipe'] as ('pipe' | 'ignore')[] }
      return new CommandPeer(
        name,
        { name, address, join },
        net.spawn(name, await memberlistPeer(), words, pipes),
      )
    }
    for (const name of ours) lab.speaker(name)
    for (const name of ours)
      await eventually(`${name} runs`, async () => (await lab.speakers.status(name))?.node, 30)
    const peers = await Promise.all(theirs.map(go))

    /** Waits until each speaker of both kinds names the owners among these. */
    const agreed = async (alive: readonly string[]): Promise<void> => {
      const wanted = thousand
        .map(address => `${address} ${elected(address, alive)}`)
        .sort()
        .join()
      for (const name of ours.filter(one => alive.includes(one)))
        await eventually(
          `${name} elects among ${alive.join(' ')}`,
          async () => {
            const status = await lab.speakers.status(name)
            const given = status?.services.filter(({ addresses }) => addresses.length > 0) ?? []
            const found = given.map(one => `${one.addresses[0]} ${one.owner}`)
            return found.sort().join() === wanted || undefined
          },
          40,
        )
      for (const peer of peers.filter(({ running }) => running))
        await eventually(
          `${peer.name} elects among ${alive.join(' ')}`,
          async () => {
            const owners = await peer.ask<readonly string[]>('owners', ...thousand)
            const found = thousand.map((address, i) => `${address} ${owners[i]}`)
            return found.sort().join() === wanted || undefined
          },
          40,
        )
    }
    await agreed(all)
    await peers[0]?.kill()
    await agreed(all.filter(name => name !== 'node-d'))
    await lab.end('node-b', 'SIGKILL')
    await agreed(['node-a', 'node-c', 'node-e'])
    // What the last of theirs would leave to ours is theirs again when it is back.
    peers.push(await go('node-d'))
    await agreed(['node-a', 'node-c', 'node-d', 'node-e'])
  })
})
