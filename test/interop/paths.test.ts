import { expect, it } from 'vitest'
import { GossipLab } from './support/gossip-lab.ts'
import { describeInterop } from './support/needs.ts'

describeInterop('On other paths', () => {
  it.concurrent('IPv6 serves as well: join, metadata, death and leave', async () => {
    await using lab = await GossipLab.build('six', ['we-1', 'we-2', 'go-1', 'go-2', 'serf'])
    const six = { family: 6, besideSerf: true, profile: 'lan' } as const
    const we = await lab.start('carillon', 'we-1', six)
    const go = await lab.start('go', 'go-1', { ...six, join: ['we-1'] })
    const leaver = await lab.start('carillon', 'we-2', { ...six, join: ['go-1'] })
    const victim = await lab.start('go', 'go-2', { ...six, join: ['we-2'] })
    const serf = await lab.start('serf', 'serf', { ...six, join: ['we-1'] })
    await lab.agree(['go-1', 'go-2', 'serf', 'we-1', 'we-2'])
    expect(we.said.find(said => said.name === 'go-1')?.address).toBe('[fd79::3]:7946')
    const from = performance.now()
    await leaver.stop()
    await lab.departed('we-2', from, [we, go, serf], 3)
    await victim.kill()
    await lab.departed('go-2', from, [we, go, serf])
    await lab.agree(['go-1', 'serf', 'we-1'])
  })

  for (const profile of ['lan', 'fast']) {
    it.concurrent(`where only TCP passes nothing flaps: ${profile}`, async () => {
      const hosts = ['we-1', 'we-2', 'go-1', 'go-2']
      await using lab = await GossipLab.build(`tcp-${profile}`, hosts)
      await lab.start('carillon', 'we-1', { profile })
      const join = ['we-1']
      await lab.start('carillon', 'we-2', { profile, join })
      await lab.start('go', 'go-1', { join })
      await lab.start('go', 'go-2', { join })
      await lab.agree(hosts)
      await Promise.all(hosts.map(host => lab.dropUdp(host)))
      await lab.quiet(20)
    })
  }
})
