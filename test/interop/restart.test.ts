import { setTimeout as pause } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { GossipLab, type PeerKind } from './support/gossip-lab.ts'
import { describeInterop } from './support/needs.ts'

const hosts = ['we', 'go', 'back', 'elsewhere']

/** Two who stay, and one that comes back. */
async function three(name: string, kind: PeerKind, reclaimSeconds?: number): Promise<GossipLab> {
  const lab = await GossipLab.build(name, hosts)
  const staying = { profile: 'lan', ...(reclaimSeconds !== undefined && { reclaimSeconds }) }
  const we = await lab.start('embedded', 'we', staying)
  const go = await lab.start('go', 'go', { ...staying, join: ['we'] })
  await lab.start(kind, 'back', { profile: 'lan', join: ['we'] })
  await lab.agree(['back', 'go', 'we'], 15, [we, go])
  return lab
}

describeInterop('A node that comes back', () => {
  for (const kind of ['go', 'embedded'] as const) {
    it.concurrent(`at once, under its name and address, is not missed for a moment: ${kind}`, async () => {
      await using lab = await three(`soon-${kind}`, kind)
      const from = performance.now()
      await lab.peers.get('back')?.kill()
      const again = await lab.start(kind, 'back', { profile: 'lan', meta: 'again', join: ['go'] })
      for (const name of ['we', 'go']) {
        const peer = lab.peers.get(name)
        await peer?.hears('its new metadata', said => said.name === 'back' && said.meta === 'again', 10, from)
        expect(peer?.departures(0)).toEqual([])
      }
      await lab.agree(['back', 'go', 'we'])
      expect(again.departures(0)).toEqual([])
    })

    it.concurrent(`after its death is seen to join again: ${kind}`, async () => {
      await using lab = await three(`later-${kind}`, kind)
      const from = performance.now()
      await lab.peers.get('back')?.kill()
      await lab.departed('back', from, lab.running)
      await lab.start(kind, 'back', { profile: 'lan', join: ['we'] })
      await lab.agree(['back', 'go', 'we'])
    })

    it.concurrent(`with another address, after it left: ${kind}`, async () => {
      await using lab = await three(`left-${kind}`, kind)
      const from = performance.now()
      await lab.peers.get('back')?.stop()
      await lab.departed('back', from, lab.running)
      await lab.start(kind, 'back', {
        profile: 'lan',
        host: 'elsewhere',
        join: ['we'],
        address: lab.address('elsewhere'),
      })
      await lab.agree(['back', 'go', 'we'])
      const address = `${lab.address('elsewhere')}:7946`
      for (const name of ['we', 'go'])
        expect(
          lab.peers
            .get(name)
            ?.said.filter(said => said.event === 'join' && said.name === 'back')
            .at(-1),
        ).toMatchObject({ address })
    })

    it.concurrent(`with another address, after it died, is let in where that is allowed: ${kind}`, async () => {
      await using lab = await three(`reclaim-${kind}`, kind, 1)
      const from = performance.now()
      await lab.peers.get('back')?.kill()
      await lab.departed('back', from, lab.running)
      // It must have been dead for longer than a second.
      await pause(1500)
      const at = { host: 'elsewhere', address: lab.address('elsewhere') }
      await lab.start(kind, 'back', { profile: 'lan', ...at, join: ['we'] })
      await lab.agree(['back', 'go', 'we'])
    })
  }

  it.concurrent('with another address while its name is taken is a conflict, and changes nothing', async () => {
    await using lab = await three('conflict', 'go')
    const rightful = lab.peers.get('back')
    const at = { host: 'elsewhere', address: lab.address('elsewhere') }
    await lab.start('embedded', 'back', { profile: 'lan', ...at, join: ['we'] })
    for (const name of ['we', 'go'])
      await lab.peers
        .get(name)
        ?.hears('a conflict', said => said.event === 'conflict' && said.name === 'back')
    const staying = ['we', 'go'].flatMap(name => lab.peers.get(name) ?? [])
    await lab.agree(['back', 'go', 'we'], 5, staying)
    for (const peer of staying) expect(peer.departures(0)).toEqual([])
    expect(rightful?.running).toBe(true)
  })
})
