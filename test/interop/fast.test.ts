import { expect, it } from 'vitest'
import { eventually } from '../lab/support/speaker-lab.ts'
import { CommandPeer } from './support/command-peer.ts'
import { GossipLab } from './support/gossip-lab.ts'
import { describeInterop } from './support/needs.ts'

const five = ['fast-1', 'fast-2', 'fast-3', 'go-1', 'go-2']

/** Starts three fast nodes and two of memberlist, and waits until they know each other. */
async function gather(lab: GossipLab): Promise<void> {
  await lab.start('carillon', 'fast-1', { profile: 'fast' })
  const join = ['fast-1']
  for (const name of ['fast-2', 'fast-3']) await lab.start('carillon', name, { profile: 'fast', join })
  for (const name of ['go-1', 'go-2']) await lab.start('go', name, { join })
  await lab.agree(five)
}

describeInterop('Our fast nodes beside memberlist at its own pace', () => {
  for (const kind of ['go', 'carillon'] as const) {
    it.concurrent(`find a dead ${kind} node, are believed by the others, and nothing flaps`, async () => {
      const hosts = ['fast-1', 'fast-2', 'fast-3', 'go-1', 'go-2', 'go-3', 'serf']
      await using lab = await GossipLab.build(`fast-${kind}`, hosts)
      const beside = { besideSerf: true }
      await lab.start('carillon', 'fast-1', { ...beside, profile: 'fast' })
      const join = ['fast-1']
      await Promise.all([
        lab.start('carillon', 'fast-2', { ...beside, profile: 'fast', join }),
        lab.start('carillon', 'fast-3', { ...beside, profile: 'fast', join }),
        lab.start('go', 'go-1', { ...beside, join }),
        lab.start('go', 'go-2', { ...beside, join }),
        lab.start('go', 'go-3', { ...beside, join }),
        lab.start('serf', 'serf', { join }),
      ])
      await lab.agree(hosts)
      const victim = kind === 'go' ? 'go-3' : 'fast-3'
      const from = performance.now()
      await lab.peers.get(victim)?.kill()
      const seen = await lab.departed(victim, from, lab.running, 20)
      // memberlist alone needs 4 s of suspicion after a failed probe; ours is done, and believed, well before.
      for (const { seconds } of seen.values()) expect(seconds).toBeLessThan(2)
      await lab.quiet(15)
      for (const peer of lab.running) {
        expect(peer.departures(0).map(said => said.name)).toEqual([victim])
        expect(peer.said.filter(said => said.event === 'join' && said.name === victim)).toHaveLength(1)
      }
    })
  }

  it.concurrent('give up who is cut off or frozen, and take them back when they return', async () => {
    await using lab = await GossipLab.build('fast-back', five)
    await gather(lab)
    for (const name of ['go-2', 'fast-3']) {
      const others = lab.running.filter(peer => peer.name !== name)
      // Cut off for long enough to be given up by all, then back.
      let from = performance.now()
      await lab.cut(name)
      for (const { seconds } of (await lab.departed(name, from, others)).values())
        expect(seconds).toBeLessThan(2)
      await lab.mend(name)
      await lab.agree(five, 20)
      // Frozen, and thawed.
      from = performance.now()
      lab.peers.get(name)?.signal('SIGSTOP')
      await lab.departed(name, from, others)
      lab.peers.get(name)?.signal('SIGCONT')
      await lab.agree(five, 20)
    }
    await lab.quiet(8)
    await lab.agree(five, 1)
  })

  it.concurrent('tell every stranger of another one that was frozen and is back', async () => {
    await using lab = await GossipLab.build('fast-thaw', five)
    await gather(lab)
    const frozen = lab.peers.get('go-2')
    const others = lab.running.filter(peer => peer !== frozen)
    // When our nodes told each other alone, one in ten returns took up to half a minute to get around.
    for (let i = 0; i < 8; i++) {
      const from = performance.now()
      frozen?.signal('SIGSTOP')
      await lab.departed('go-2', from, others)
      frozen?.signal('SIGCONT')
      await lab.agree(five, 8)
    }
  })

  it.concurrent('do not keep the news of memberlist to themselves', async () => {
    const fast = ['fast-1', 'fast-2']
    const go = ['go-1', 'go-2', 'go-3', 'go-4', 'go-5', 'go-6', 'go-7']
    await using lab = await GossipLab.build('fast-news', [...fast, ...go])
    await lab.start('carillon', 'fast-1', { profile: 'fast' })
    await lab.start('carillon', 'fast-2', { profile: 'fast', join: ['fast-1'] })
    for (const name of go) await lab.start('go', name, { join: ['fast-1'] })
    await lab.agree([...fast, ...go])
    for (const name of go) {
      const teller = lab.peers.get(name)
      if (teller instanceof CommandPeer) await teller.ask('meta', `news of ${name}`)
    }
    // Left alone, memberlist misses one in a hundred, until tables are exchanged.
    const pairs = lab.running.flatMap(peer =>
      go.filter(name => name !== peer.name).map(name => ({ peer, name })),
    )
    const heard = () =>
      pairs.filter(({ peer, name }) => peer.said.some(one => one.event === 'update' && one.name === name))
    await eventually(
      'almost everybody has the news',
      () => heard().length >= 0.9 * pairs.length || undefined,
      5,
    )
  })
})
