import { afterAll, beforeAll, expect, it } from 'vitest'
import type { CommandPeer } from './support/command-peer.ts'
import { GossipLab } from './support/gossip-lab.ts'
import { describeInterop } from './support/needs.ts'
import { translated } from './support/translated.ts'

const members = ['a', 'b', 'c', 'd']

describeInterop('A flood of packets', () => {
  let lab: GossipLab
  let victim: CommandPeer

  beforeAll(async () => {
    lab = await GossipLab.build('flood', [...members, 'stranger'])
    victim = await lab.start('embedded', 'a')
    await Promise.all(members.slice(1).map(name => lab.start('embedded', name, { join: ['a'] })))
    await lab.agree(members)
  })
  afterAll(() => lab?.[Symbol.asyncDispose]())

  const refused = async (): Promise<number> =>
    (await victim.ask<Record<string, number>>('refused')).tooManyPackets ?? 0

  it.each(['pings', 'rumours'])(
    'of 75,000 %s from a stranger in three seconds: thousands are not even looked at, and nobody is given up',
    async kind => {
      const from = performance.now()
      const before = await refused()
      const words = [await translated('flood'), victim.address, '75000', kind]
      const { code, stderr } = await lab.net.exec('stranger', process.execPath, words)
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      await lab.quiet(1, from)
      // How many the kernel itself has no room for is up to the machine.
      expect((await refused()) - before).toBeGreaterThan(10_000)
      await lab.agree(members, 5)
    },
  )
})
