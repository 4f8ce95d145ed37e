// Opens and closes sockets of every kind 10,000 times; prints what is left of them.
import { readdirSync } from 'node:fs'
import { systemNetwork } from '@carillon/sockets'

const network = systemNetwork()

const opens: readonly (() => Promise<AsyncDisposable>)[] = [
  async () => {
    const frames = await network.frames(1, 0x88b5)
    frames.receive(() => {})
    return frames
  },
  async () => {
    const datagrams = await network.datagrams({ address: '127.0.0.1', port: 0 })
    datagrams.receive(() => {})
    return datagrams
  },
  async () => {
    const icmp6 = await network.icmp6(1, [135])
    icmp6.receive(() => {})
    return icmp6
  },
  async () => network.links(),
]

async function rounds(count: number): Promise<void> {
  for (let i = 0; i < count; i += 100) {
    const sockets = await Promise.all(
      Array.from({ length: 100 }, (_, j) => (opens[j % opens.length] as (typeof opens)[0])()),
    )
    await Promise.all(sockets.map(socket => socket[Symbol.asyncDispose]()))
  }
  for (let i = 0; i < 3; i++) {
    global.gc?.()
    // Closed handles are freed by the loop.
    await new Promise(resolve => setImmediate(resolve))
  }
}

const descriptors = (): number => readdirSync('/proc/self/fd').length

await rounds(2500)
const before = descriptors()
// What leaks grows with every round; what V8 keeps for itself does not.
const grownKiB: number[] = []
for (let i = 0; i < 4; i++) {
  const rss = process.memoryUsage.rss()
  await rounds(2500)
  grownKiB.push(Math.round((process.memoryUsage.rss() - rss) / 1024))
}
process.stdout.write(JSON.stringify({ descriptors: descriptors() - before, grownKiB }))
