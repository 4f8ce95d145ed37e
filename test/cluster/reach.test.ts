import { seededRandom } from '@carillon/core/testing'
import { answerPings, Keyring, type Reach, reach } from '@carillon/gossip'
import { describe, expect } from 'vitest'
import { type Cluster, story } from './support/cluster.ts'

const here = '10.99.0.1'

interface Question {
  readonly keyring?: Keyring
  /** Whether something answers pings where we are to be reached. */
  readonly answering?: boolean
}

/** What a stranger finds out about a member, while time runs. */
async function ask(cluster: Cluster, to: string, question: Question = {}): Promise<Reach> {
  const { answering = true, ...options } = question
  const network = cluster.network.host('stranger', here)
  const answer = answering
    ? await answerPings({ address: here, port: 7946 }, { network, ...options })
    : undefined
  const { clock } = cluster
  let found: Reach | undefined
  const asked = reach({
    network,
    clock,
    random: seededRandom(1),
    to: { address: to, port: 7946 },
    back: { address: here, port: 7946 },
    ...options,
  }).then(result => {
    found = result
  })
  await cluster.until('the stranger knows', 10_000, () => found !== undefined)
  await asked
  await answer?.[Symbol.asyncDispose]()
  if (!found) throw new Error('nothing was found out')
  return found
}

const key = (fill: number): Keyring => new Keyring([new Uint8Array(32).fill(fill)])

describe('a stranger that asks whether a member can be reached', () => {
  story('is answered by both ways, called back, and makes nobody a member', { seeds: [1] }, async cluster => {
    const [first] = await cluster.form(3)
    const found = await ask(cluster, first?.address ?? '')
    expect(found).toEqual({ datagram: true, stream: { state: 'answered' }, back: true })
    await cluster.run(5000)
    expect(cluster.agreed()).toBe(true)
    expect(first?.gossip.members().map(({ name }) => name)).not.toContain('stranger')
  })

  story(
    'is answered by an encrypted cluster that it shares the key with',
    { keyring: key(1), seeds: [1] },
    async cluster => {
      const [first] = await cluster.form(2)
      const found = await ask(cluster, first?.address ?? '', { keyring: key(1) })
      expect(found).toEqual({ datagram: true, stream: { state: 'answered' }, back: true })
    },
  )

  story(
    'hears over TCP why it is refused without the key',
    { keyring: key(1), seeds: [1] },
    async cluster => {
      const [first] = await cluster.form(2)
      const found = await ask(cluster, first?.address ?? '')
      expect(found).toMatchObject({ datagram: false, stream: { state: 'refused' }, back: undefined })
    },
  )

  story('finds that nobody listens, and that nobody is there', { seeds: [1] }, async cluster => {
    cluster.network.host('idle', '10.98.0.1')
    expect(await ask(cluster, '10.98.0.1')).toEqual({
      datagram: false,
      stream: { state: 'unreachable', code: 'ECONNREFUSED' },
      back: undefined,
    })
    cluster.network.remove('stranger')
    expect(await ask(cluster, '10.98.0.2')).toEqual({
      datagram: false,
      stream: { state: 'unreachable', code: 'ETIMEDOUT' },
      back: undefined,
    })
  })

  story(
    'finds that it is not called back where nothing of its own hears the call',
    { seeds: [1] },
    async cluster => {
      const [first] = await cluster.form(2)
      const found = await ask(cluster, first?.address ?? '', { answering: false })
      expect(found).toEqual({ datagram: true, stream: { state: 'answered' }, back: false })
    },
  )
})
