import { FakeClock } from '@carillon/core/testing'
import { KeyFile, Keyring } from '@carillon/gossip'
import { describe, expect } from 'vitest'
import { type Cluster, type Node, story } from './support/cluster.ts'

const key = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)
const text = (...fills: readonly number[]): Uint8Array =>
  Buffer.from(fills.map(fill => `${Buffer.from(key(fill)).toString('base64')}\n`).join(''))
const dropped = (node: Node): number =>
  Object.values(node.gossip.stats().dropped).reduce((sum, count) => sum + count, 0)

/** A stranger asks to join the cluster, for half a minute. */
async function knock(cluster: Cluster, options: Parameters<Cluster['add']>[1]): Promise<Node> {
  const members = cluster.all
  const stranger = await cluster.add('stranger', options)
  await cluster.run(30_000)
  expect(cluster.agreed(members)).toBe(true)
  expect(stranger.gossip.alive()).toEqual(new Set(['stranger']))
  expect(dropped(cluster.node('node-0'))).toBeGreaterThan(0)
  return stranger
}

describe('nobody gets in', () => {
  story('with another key', { keyring: new Keyring([key(1)]), seeds: [1] }, async cluster => {
    await cluster.form(3)
    await knock(cluster, { keyring: new Keyring([key(2)]) })
  })

  story('without a key', { keyring: new Keyring([key(1)]), seeds: [1] }, async cluster => {
    await cluster.form(3)
    await knock(cluster, { keyring: new Keyring() })
  })

  story('with a key where there is none', { seeds: [1] }, async cluster => {
    await cluster.form(3)
    await knock(cluster, { keyring: new Keyring([key(1)]) })
  })

  story('with another label', { label: 'blue', seeds: [1] }, async cluster => {
    await cluster.form(3)
    await knock(cluster, { label: 'green' })
  })

  story('without the label', { label: 'blue', keyring: new Keyring([key(1)]), seeds: [1] }, async cluster => {
    await cluster.form(3)
    await knock(cluster, { label: '' })
  })
})

/** Nodes whose keys follow a file each; the clock of the files runs with that of the cluster. */
async function withFiles(cluster: Cluster, count: number) {
  const files: { content: Uint8Array; keyring: Keyring }[] = []
  const clock = new FakeClock()
  for (let i = 0; i < count; i++) {
    const keyring = new Keyring()
    const file = { content: text(1), keyring }
    await KeyFile.open({ path: 'key', keyring, clock, read: async () => file.content })
    files.push(file)
    await cluster.add(`node-${i}`, { keyring })
  }
  await cluster.until('everybody knows everybody', 5000, () => cluster.agreed())
  const pass = async (ms: number): Promise<void> => {
    await clock.advanceAsync(ms)
    await cluster.run(Math.min(ms, 3000))
  }
  return { files, pass }
}

const primaries = (files: readonly { readonly keyring: Keyring }[]): (number | undefined)[] =>
  files.map(({ keyring }) => keyring.primary?.[0])

story(
  'keys are rotated in two steps, node by node, and no member is lost',
  { profile: 'fast' },
  async cluster => {
    const { files, pass } = await withFiles(cluster, 5)
    for (const content of [text(1, 2), text(2)]) {
      for (const file of files) {
        file.content = content
        await pass(3000)
      }
      await pass(200_000)
    }
    expect(primaries(files)).toEqual([2, 2, 2, 2, 2])
    await pass(800_000)
    expect(files.map(({ keyring }) => keyring.keys.length)).toEqual([1, 1, 1, 1, 1])
    await cluster.run(30_000)
    expect(cluster.deaths()).toEqual([])
    expect(cluster.all.map(dropped)).toEqual([0, 0, 0, 0, 0])
    await knock(cluster, { keyring: new Keyring([key(1)]) })
  },
)

story(
  'a key that is replaced in one step reaches all before anybody encrypts with it',
  { profile: 'fast' },
  async cluster => {
    const { files, pass } = await withFiles(cluster, 5)
    for (const file of files) {
      file.content = text(2)
      await pass(20_000)
    }
    expect(primaries(files)).toEqual([1, 1, 1, 1, 1])
    await pass(110_000)
    expect(primaries(files)).toEqual([2, 2, 2, 2, 2])
    await cluster.run(10_000)
    expect(cluster.deaths()).toEqual([])
    expect(cluster.all.map(dropped)).toEqual([0, 0, 0, 0, 0])
  },
)
