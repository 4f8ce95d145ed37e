import { expect, it } from 'vitest'
import type { CommandPeer } from './support/command-peer.ts'
import { GossipLab } from './support/gossip-lab.ts'
import { describeInterop } from './support/needs.ts'

const says = (peer: CommandPeer, event: string, text: string) =>
  peer.hears(`${event} "${text}"`, said => said.event === event && said.text === text)

describeInterop('What applications tell each other', () => {
  for (const compress of [true, false]) {
    const how = compress ? 'compressed' : 'not compressed'
    it.concurrent(`arrives both ways, ${how}: metadata, user state, user messages`, async () => {
      await using lab = await GossipLab.build(`data-${Number(compress)}`, ['we', 'go', 'late'])
      const common = { compress }
      const we = await lab.start('embedded', 'we', { ...common, meta: 'first ours', state: 'state ours' })
      const go = await lab.start('go', 'go', {
        ...common,
        meta: 'first theirs',
        state: 'state theirs',
        join: ['we'],
      })
      await lab.agree(['go', 'we'])
      await says(we, 'state', 'state theirs')
      await says(go, 'state', 'state ours')
      expect(await go.metadata()).toEqual({ we: 'first ours', go: 'first theirs' })
      expect(await we.metadata()).toEqual({ we: 'first ours', go: 'first theirs' })

      await we.ask('meta', 'second ours')
      await go.ask('meta', 'second theirs')
      await go.hears('an update', said => said.event === 'update' && said.meta === 'second ours')
      await we.hears('an update', said => said.event === 'update' && said.meta === 'second theirs')

      const long = 'a long word, '.repeat(3000)
      await we.ask('send', 'go', 'packet', 'by packet from us')
      await we.ask('send', 'go', 'stream', long)
      await we.ask('broadcast', 'for all from us')
      await go.ask('send', 'we', 'packet', 'by packet from them')
      await go.ask('send', 'we', 'stream', long)
      await go.ask('broadcast', 'for all from them')
      for (const text of ['by packet from us', long, 'for all from us']) await says(go, 'message', text)
      for (const text of ['by packet from them', long, 'for all from them']) await says(we, 'message', text)

      // User state is asked for at every push/pull, and the other way round when we dial.
      await we.ask('state', 'later ours')
      await go.ask('state', 'later theirs')
      await we.ask('join', `${lab.address('go')}:7946`)
      await says(we, 'state', 'later theirs')
      await says(go, 'state', 'later ours')

      // A newcomer learns the newest metadata of all.
      const late = await lab.start('embedded', 'late', { ...common, join: ['go'] })
      await lab.agree(['go', 'late', 'we'])
      expect(await late.metadata()).toEqual({ we: 'second ours', go: 'second theirs', late: '' })
    })
  }

  it.concurrent('and serf reads our metadata', async () => {
    await using lab = await GossipLab.build('serf-data', ['we', 'serf'])
    const we = await lab.start('embedded', 'we', { meta: 'watchman', besideSerf: true })
    const serf = await lab.start('serf', 'serf', { meta: 'role=bell', join: ['we'] })
    await lab.agree(['serf', 'we'])
    const { stdout } = await lab.net.exec('serf', 'serf', ['members', '-format', 'json'])
    // What is not in serf's own form it takes for the role.
    expect(JSON.parse(stdout)).toMatchObject({
      members: expect.arrayContaining([
        expect.objectContaining({ name: 'we', tags: { role: 'watchman' } }),
        expect.objectContaining({ name: 'serf', tags: { role: 'bell' } }),
      ]),
    })
    expect((await we.metadata()).serf).toContain('bell')
    await serf.kill()
  })
})
