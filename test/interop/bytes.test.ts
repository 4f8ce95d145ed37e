import { randomBytes } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import {
  decodePacket,
  encodeMessage,
  encodePacket,
  encodeStream,
  StreamReader,
  type WireOptions,
} from '@carillon/gossip/wire'
import { expect, it } from 'vitest'
import { GossipLab } from './support/gossip-lab.ts'
import { describeInterop } from './support/needs.ts'
import { type Recorded, record } from './support/recording.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Types of the messages in what these addresses sent; fails where we would have put a message into other bytes. */
function sayAgain(recorded: Recorded, from: readonly string[], options: WireOptions): ReadonlySet<string> {
  const types = new Set<string>()
  for (const { bytes } of recorded.datagrams.filter(one => from.includes(one.from))) {
    const { messages, dropped } = decodePacket(bytes, options)
    expect(dropped).toEqual([])
    for (const { type } of messages) types.add(type)
    const nonce = (): Uint8Array => bytes.slice(1, 13)
    const parts = messages.map(message => encodeMessage(message))
    const ours = [false, true].map(checksum => hex(encodePacket(parts, { ...options, nonce, checksum })))
    expect(ours).toContain(hex(bytes))
  }
  for (const { bytes, dialer } of recorded.speeches.filter(one =>
    from.includes(one.from.replace(/:.*/, '')),
  )) {
    const reader = new StreamReader(dialer ? 'acceptor' : 'dialer', options)
    const result = reader.push(bytes) ?? reader.end()
    // Whoever was killed, or was speaking when the recording ended, has not finished.
    if ('dropped' in result && result.dropped === 'truncated') continue
    if ('dropped' in result) throw new Error(`${result.dropped}: ${hex(bytes)}`)
    const { message } = result
    types.add(`stream ${message.type}`)
    const nonce = (): Uint8Array => bytes.slice(6, 18)
    const side = dialer ? 'dialer' : 'acceptor'
    const ours = encodeStream(side, message, { ...options, nonce, integers: 'unsigned' })
    expect(hex(ours)).toBe(hex(bytes))
  }
  return types
}

const hosts = ['we', 'go-1', 'go-2', 'go-3']

describeInterop('What memberlist says', () => {
  for (const { title, keys, compress, bare } of [
    { title: 'in the clear, compressed', keys: [], compress: true, bare: false },
    { title: 'in the clear, not compressed', keys: [], compress: false, bare: false },
    { title: 'encrypted, compressed', keys: [randomBytes(32)], compress: true, bare: false },
    { title: 'encrypted, not compressed', keys: [randomBytes(16)], compress: false, bare: false },
    { title: 'with no application, as MetalLB does', keys: [randomBytes(32)], compress: true, bare: true },
  ]) {
    it.concurrent(`we would say in the same bytes: ${title}`, async () => {
      await using lab = await GossipLab.build(
        `bytes-${keys[0]?.length ?? 0}-${Number(compress)}${Number(bare)}`,
        hosts,
      )
      const settings = { compress, ...(keys.length > 0 && { keys: keys.map(hex) }) }
      const recorded = await record(lab.net, 'we', async () => {
        // Everybody or nobody has metadata: of an empty one memberlist keeps two forms apart, and we do not.
        const ours = bare ? {} : { meta: 'ours', state: 'ours' }
        const theirs = bare ? { bare } : { meta: 'theirs', state: 'theirs' }
        await lab.start('embedded', 'we', { ...settings, ...ours, profile: 'lan' })
        const told = { ...settings, ...theirs, join: ['we'] }
        const go = await lab.start('go', 'go-1', told)
        await lab.start('go', 'go-2', told)
        const victim = await lab.start('go', 'go-3', told)
        await lab.agree(['go-1', 'go-2', 'go-3', 'we'])
        if (!bare) {
          await go.ask('meta', 'theirs, but new')
          await go.ask('broadcast', 'a word for all')
        }
        await go.ask('send', 'we', 'packet', 'a short word')
        await go.ask('send', 'we', 'stream', 'a word with a guarantee')
        await pause(1500)
        const from = performance.now()
        await victim.kill()
        await lab.departed('go-3', from, lab.running)
        await pause(1000)
      })
      const theirs = ['go-1', 'go-2', 'go-3'].map(host => lab.address(host))
      const ports = theirs.map(address => `${address}:7946`)
      const types = sayAgain(recorded, [...theirs, ...ports], { keys: { keys }, compress })
      expect([...types]).toEqual(
        expect.arrayContaining([
          ...['ping', 'ack', 'alive', 'suspect', 'dead', 'user'],
          ...['stream pushPull', 'stream user'],
        ]),
      )
    })
  }
})
