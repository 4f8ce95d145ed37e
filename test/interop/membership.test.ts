import { expect, it } from 'vitest'
import { GossipLab } from './support/gossip-lab.ts'
import { describeInterop } from './support/needs.ts'

// The profile whose pace the strangers keep; `fast` is in fast.test.ts.
const lan = { profile: 'lan' }

describeInterop('Among strangers', () => {
  it.concurrent('we join serf and memberlist, and they join us', async () => {
    await using lab = await GossipLab.build('joins', ['go-1', 'we-1', 'serf-1', 'go-2', 'we-2', 'serf-2'])
    const beside = { besideSerf: true }
    const go = await lab.start('go', 'go-1', beside)
    const we = await lab.start('carillon', 'we-1', { ...lan, ...beside, join: ['go-1'] })
    await lab.agree(['go-1', 'we-1'])
    const serf = await lab.start('serf', 'serf-1', { join: ['we-1'] })
    await lab.start('go', 'go-2', { ...beside, join: ['we-1'] })
    await lab.agree(['go-1', 'go-2', 'serf-1', 'we-1'])
    await lab.start('carillon', 'we-2', { ...lan, ...beside, join: ['serf-1'] })
    const leaver = await lab.start('serf', 'serf-2', { join: ['we-2'] })
    const all = ['go-1', 'go-2', 'serf-1', 'serf-2', 'we-1', 'we-2']
    await lab.agree(all)
    expect(await serf.members(lab.net)).toEqual(Object.fromEntries(all.map(name => [name, 'alive'])))
    expect(we.said.find(said => said.event === 'join' && said.name === 'serf-2')?.address).toBe(
      '10.79.0.6:7946',
    )
    expect(go.departures(0)).toEqual([])
    expect(we.departures(0)).toEqual([])

    // Each leaves in its own way, and nobody takes it for dead.
    let from = performance.now()
    leaver.signal('SIGINT')
    for (const { event, seconds } of (await lab.departed('serf-2', from, [we, go], 5)).values()) {
      expect(event).toBe('leave')
      expect(seconds).toBeLessThan(4)
    }
    from = performance.now()
    const gone = lab.peers.get('we-2')?.stop()
    const seen = await lab.departed('we-2', from, [we, go, serf], 3)
    expect(seen.get('we-1')?.event).toBe('leave')
    expect(await gone).toBe(0)
    from = performance.now()
    await lab.peers.get('go-2')?.stop()
    const others = await lab.departed('go-2', from, [we, go, serf], 3)
    expect(others.get('we-1')?.event).toBe('leave')
    await lab.agree(['go-1', 'serf-1', 'we-1'], 5, [we, go, serf])
  })

  it.concurrent('ten nodes of three kinds agree, also on who was killed', async () => {
    const we = ['we-1', 'we-2', 'we-3', 'we-4']
    const go = ['go-1', 'go-2', 'go-3']
    const serf = ['serf-1', 'serf-2', 'serf-3']
    const all = [...we, ...go, ...serf]
    await using lab = await GossipLab.build('ten', all)
    await lab.start('carillon', 'we-1', { ...lan, besideSerf: true })
    const join = ['we-1']
    await Promise.all([
      ...we.slice(1).map(name => lab.start('carillon', name, { ...lan, besideSerf: true, join })),
      ...go.map(name => lab.start('go', name, { besideSerf: true, join })),
      ...serf.map(name => lab.start('serf', name, { join })),
    ])
    await lab.agree(all)

    const victims = ['we-2', 'go-2', 'serf-2']
    const from = performance.now()
    await Promise.all(victims.map(name => lab.peers.get(name)?.kill()))
    const survivors = lab.running
    expect(survivors).toHaveLength(7)
    for (const victim of victims) {
      const seen = await lab.departed(victim, from, survivors, 20)
      for (const [name, { event }] of seen)
        expect([name, event]).toEqual([name, name.startsWith('go') ? 'leave' : 'dead'])
    }
    await lab.agree(all.filter(name => !victims.includes(name)))
  })

  for (const victim of ['we', 'go', 'serf'] as const) {
    const story = `a link that is cut is a death on both sides, until it is mended: ${victim}`
    it.concurrent(story, { timeout: 120_000 }, async () => {
      await using lab = await GossipLab.build(`cut-${victim}`, ['we', 'go', 'serf'])
      const we = await lab.start('carillon', 'we', { ...lan, besideSerf: true })
      const go = await lab.start('go', 'go', { besideSerf: true, join: ['we'] })
      const serf = await lab.start('serf', 'serf', { join: ['go'] })
      const peers = { we, go, serf }
      await lab.agree(['go', 'serf', 'we'])
      const from = performance.now()
      await lab.cut(victim)
      const others = (['we', 'go', 'serf'] as const).filter(name => name !== victim)
      await lab.departed(
        victim,
        from,
        others.map(name => peers[name]),
      )
      for (const other of others) await lab.departed(other, from, [peers[victim]])
      expect([...peers[victim].alive()]).toEqual([victim])

      // memberlist never asks for those it has lost; we do, and so bring both sides together again.
      await lab.mend(victim)
      await lab.agree(['go', 'serf', 'we'])
    })
  }
})
