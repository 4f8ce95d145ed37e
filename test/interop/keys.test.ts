import { createHash, randomBytes } from 'node:crypto'
import { expect, it } from 'vitest'
import { GossipLab } from './support/gossip-lab.ts'
import { describeInterop } from './support/needs.ts'

const newKey = (bytes: number): string => randomBytes(bytes).toString('hex')

describeInterop('Keys', () => {
  for (const bytes of [16, 24, 32]) {
    it.concurrent(`of ${bytes} bytes are shared with memberlist and serf`, async () => {
      await using lab = await GossipLab.build(`aes-${bytes}`, ['we', 'go', 'serf'])
      const keys = [newKey(bytes)]
      const we = await lab.start('carillon', 'we', { keys, besideSerf: true, profile: 'lan' })
      const go = await lab.start('go', 'go', { keys, besideSerf: true, join: ['we'] })
      const serf = await lab.start('serf', 'serf', { keys, join: ['go'] })
      await lab.agree(['go', 'serf', 'we'])
      // Encrypted pings are answered, too: nobody is missed over some rounds.
      await lab.quiet(5, 0)
      const from = performance.now()
      await we.stop()
      await lab.departed('we', from, [go, serf], 3)
    })
  }

  it.concurrent('that only decrypt are tried as well', async () => {
    await using lab = await GossipLab.build('secondary', ['we', 'go'])
    const [one, two] = [newKey(32), newKey(16)]
    await lab.start('carillon', 'we', { keys: [one, two] })
    await lab.start('go', 'go', { keys: [two, one], join: ['we'] })
    await lab.agree(['go', 'we'])
    await lab.quiet(4, 0)
  })

  it.concurrent('are rotated with nobody missed', async () => {
    const names = ['we-1', 'we-2', 'go-1', 'go-2']
    await using lab = await GossipLab.build('rotate', [...names, 'late'])
    const [old, fresh] = [newKey(32), newKey(32)]
    const keys = [old]
    const peers = [
      await lab.start('embedded', 'we-1', { keys }),
      await lab.start('embedded', 'we-2', { keys, join: ['we-1'] }),
      await lab.start('go', 'go-1', { keys, join: ['we-1'] }),
      await lab.start('go', 'go-2', { keys, join: ['we-1'] }),
    ]
    await lab.agree(names)
    for (const [how, key] of [
      ['add', fresh],
      ['use', fresh],
      ['remove', old],
    ] as const) {
      for (const peer of peers) {
        await peer.ask('key', how, key)
        await lab.quiet(0.3, 0)
      }
      await lab.quiet(1.5, 0)
    }
    // Nobody has the old key any more: who comes with it stays alone.
    const late = await lab.start('go', 'late', { keys, join: ['we-1', 'go-1'] })
    await late.hears('that nobody lets it in', said => said.event === 'joinFailed')
    expect([...late.alive()]).toEqual(['late'])
  })

  it.concurrent('are rotated by a file that changes, in two steps, with nobody missed', async () => {
    const names = ['we-1', 'we-2', 'go-1', 'go-2']
    await using lab = await GossipLab.build('key-file', [...names, 'late'])
    const [old, fresh] = [newKey(32), newKey(32)]
    const write = (...keys: readonly string[]): Promise<string> => {
      const lines = keys.map(key => `${Buffer.from(key, 'hex').toString('base64')}\n`)
      return lab.file('keys', lines.join(''))
    }
    const keyFile = await write(old)
    await lab.start('embedded', 'we-1', { keyFile })
    await lab.start('embedded', 'we-2', { keyFile, join: ['we-1'] })
    const go = [
      await lab.start('go', 'go-1', { keys: [old], join: ['we-1'] }),
      await lab.start('go', 'go-2', { keys: [old], join: ['we-1'] }),
    ]
    await lab.agree(names)
    await write(old, fresh)
    for (const peer of go) await peer.ask('key', 'add', fresh)
    await lab.quiet(2.5, 0)
    await write(fresh, old)
    await lab.quiet(1, 0)
    for (const peer of go) await peer.ask('key', 'use', fresh)
    await lab.quiet(1, 0)
    await write(fresh)
    for (const peer of go) await peer.ask('key', 'remove', old)
    await lab.quiet(4, 0)
    const late = await lab.start('go', 'late', { keys: [old], join: ['we-1', 'we-2'] })
    await late.hears('that nobody lets it in', said => said.event === 'joinFailed')
    expect([...late.alive()]).toEqual(['late'])
  })

  it.concurrent('made of a MetalLB secret are the same for a MetalLB speaker', async () => {
    await using lab = await GossipLab.build('metallb', ['we', 'go'])
    // As its controller makes them: 16 random bytes in base64, without padding.
    const secret = randomBytes(16).toString('base64').replaceAll('=', '')
    const filling = createHash('sha256').update('').digest()
    const key = Buffer.concat([Buffer.from(secret), filling])
      .subarray(0, 32)
      .toString('hex')
    await lab.start('embedded', 'we', { secret })
    await lab.start('go', 'go', { keys: [key], bare: true, join: ['we'] })
    await lab.agree(['go', 'we'])
    await lab.quiet(3, 0)
  })

  it.concurrent('that do not fit, or none, are refused both ways, and counted by cause', async () => {
    await using lab = await GossipLab.build('refused', [
      'we',
      'go',
      'wrong-go',
      'plain-go',
      'wrong-we',
      'plain-we',
    ])
    const keys = [newKey(32)]
    const wrong = { keys: [newKey(32)], join: ['we', 'go'] }
    const plain = { join: ['we', 'go'] }
    const we = await lab.start('embedded', 'we', { keys })
    const go = await lab.start('go', 'go', { keys, join: ['we'] })
    await lab.agree(['go', 'we'])
    const strangers = [
      await lab.start('go', 'wrong-go', wrong),
      await lab.start('go', 'plain-go', plain),
      await lab.start('embedded', 'wrong-we', wrong),
      await lab.start('embedded', 'plain-we', plain),
    ]
    await lab.quiet(3, 0)
    for (const peer of strangers) expect([...peer.alive()]).toEqual([peer.name])
    for (const peer of [we, go]) expect([...peer.alive()].sort()).toEqual(['go', 'we'])
    const refused = await we.ask<Readonly<Record<string, number>>>('refused')
    expect(refused.noKeyFits).toBeGreaterThanOrEqual(2)
    expect(refused.plaintextRefused).toBeGreaterThanOrEqual(2)
    expect(Object.keys(refused).sort()).toEqual(['noKeyFits', 'plaintextRefused'])
  })

  it.concurrent('or none: a label keeps out who has another or none, and counts them', async () => {
    await using lab = await GossipLab.build('label', ['we-1', 'we-2', 'other', 'go'])
    const we = await lab.start('embedded', 'we-1', { label: 'bells' })
    await lab.start('embedded', 'we-2', { label: 'bells', join: ['we-1'] })
    const inside = lab.running
    await lab.agree(['we-1', 'we-2'])
    const strangers = [
      await lab.start('embedded', 'other', { label: 'whistles', join: ['we-1', 'we-2'] }),
      await lab.start('go', 'go', { join: ['we-1', 'we-2'] }),
    ]
    await lab.quiet(2, 0)
    await lab.agree(['we-1', 'we-2'], 1, inside)
    for (const peer of strangers) expect([...peer.alive()]).toEqual([peer.name])
    const refused = await we.ask<Readonly<Record<string, number>>>('refused')
    expect(Object.keys(refused)).toEqual(['wrongLabel'])
    expect(refused.wrongLabel).toBeGreaterThanOrEqual(2)
  })
})
