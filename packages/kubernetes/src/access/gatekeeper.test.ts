import { FakeClock, RecordingLogger } from '@carillon/core/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { Client } from '../client/index.ts'
import { ScriptedPeer } from '../support/scripted-peer.ts'
import { type Admittance, Gatekeeper, type GatekeeperOptions } from './gatekeeper.ts'

let peer: ScriptedPeer
let clock: FakeClock
let log: RecordingLogger

beforeEach(() => {
  peer = new ScriptedPeer()
  clock = new FakeClock()
  log = new RecordingLogger()
})

const keeper = (options: Partial<GatekeeperOptions> = {}): Gatekeeper =>
  new Gatekeeper({ client: new Client({ transport: peer, clock }), clock, log, ...options })

const user = { username: 'prometheus', uid: 'u', groups: ['g'], extra: { scopes: ['s'] } }
const answer = (kind: string, status: object): object => ({ apiVersion: 'v1', kind, metadata: {}, status })

/** Plays the API server for one whole decision. */
async function decide(allowed: boolean): Promise<void> {
  const who = await peer.next('tokenreviews')
  await who.reply(201, answer('TokenReview', { authenticated: true, user }))
  const may = await peer.next('subjectaccessreviews')
  expect(may.body).toMatchObject({
    kind: 'SubjectAccessReview',
    spec: {
      user: 'prometheus',
      uid: 'u',
      groups: ['g'],
      extra: { scopes: ['s'] },
      nonResourceAttributes: { path: '/metrics', verb: 'get' },
    },
  })
  await may.reply(201, answer('SubjectAccessReview', { allowed }))
}

const ask = (one: Gatekeeper, token = 'abc'): Promise<Admittance> => one.admit(`Bearer ${token}`, '/metrics')

describe('who asks for a path', () => {
  it('is let in when the API server knows the token and the roles allow it', async () => {
    const asked = ask(keeper())
    await decide(true)
    expect(await asked).toBe('allowed')
  })

  it('is refused without a right', async () => {
    const asked = ask(keeper())
    await decide(false)
    expect(await asked).toBe('forbidden')
  })

  it('is refused with a token that is not known', async () => {
    const asked = ask(keeper())
    const who = await peer.next('tokenreviews')
    expect(who.body).toMatchObject({ kind: 'TokenReview', spec: { token: 'abc' } })
    await who.reply(201, answer('TokenReview', { authenticated: false }))
    expect(await asked).toBe('unauthenticated')
  })

  it.each([undefined, '', 'Basic YWJj', 'Bearer ', 'Bearer a b', 'Bearer “a”'])(
    'is refused with %j, and nobody is asked',
    async header => {
      expect(await keeper().admit(header, '/metrics')).toBe('unauthenticated')
      expect(peer.log).toEqual([])
    },
  )

  it('is not asked about again for a minute, however often they come', async () => {
    const one = keeper()
    const asked = [ask(one), ask(one)]
    await decide(true)
    expect(await Promise.all(asked)).toEqual(['allowed', 'allowed'])
    clock.advance(59_999)
    expect(await ask(one)).toBe('allowed')
    expect(peer.log).toHaveLength(2)
    clock.advance(1)
    const again = ask(one)
    await decide(false)
    expect(await again).toBe('forbidden')
  })

  it('is asked about again soon after a refusal', async () => {
    const one = keeper()
    const asked = ask(one)
    await decide(false)
    expect(await asked).toBe('forbidden')
    clock.advance(9_999)
    expect(await ask(one)).toBe('forbidden')
    clock.advance(1)
    const again = ask(one)
    await decide(true)
    expect(await again).toBe('allowed')
  })
})

describe('while the API server is away', () => {
  /** An answer that never comes. */
  const away = async (asked: Promise<Admittance>): Promise<Admittance> => {
    await (await peer.next()).break()
    return asked
  }

  it('who was let in stays so for ten minutes, and no longer', async () => {
    const one = keeper()
    const asked = ask(one)
    await decide(true)
    await asked
    clock.advance(599_999)
    expect(await away(ask(one))).toBe('allowed')
    clock.advance(1)
    expect(await away(ask(one))).toBe('unavailable')
    expect(log.lines.map(({ message }) => message)).toEqual(['who may read metrics cannot be found out'])
  })

  it('who is new is let in by nobody', async () => {
    expect(await away(ask(keeper()))).toBe('unavailable')
  })

  it('who was refused stays so', async () => {
    const one = keeper()
    const asked = ask(one)
    await decide(false)
    await asked
    clock.advance(60_000)
    expect(await away(ask(one))).toBe('forbidden')
  })
})

describe('what the API server may say besides', () => {
  it('an account without the right to ask is told which right it lacks', async () => {
    const asked = ask(keeper())
    await (await peer.next('tokenreviews')).refuse(403, 'Forbidden')
    expect(await asked).toBe('unavailable')
    expect(JSON.stringify(log.lines)).toContain('create tokenreviews.authentication.k8s.io')
  })

  it.each([
    ['a user without a name', { authenticated: true, user: {} }],
    ['an error instead of an answer', { error: 'the issuer is out of reach' }],
  ])('%s lets nobody in', async (_, status) => {
    const asked = ask(keeper())
    await (await peer.next('tokenreviews')).reply(201, answer('TokenReview', status))
    expect(await asked).toBe('unavailable')
  })

  it('a right that is denied and allowed at once is none', async () => {
    const asked = ask(keeper())
    await (await peer.next('tokenreviews')).reply(201, answer('TokenReview', { authenticated: true, user }))
    const may = await peer.next('subjectaccessreviews')
    await may.reply(201, answer('SubjectAccessReview', { allowed: true, denied: true }))
    expect(await asked).toBe('forbidden')
  })
})

describe('tokens that somebody makes up', () => {
  it('do not flood the API server', async () => {
    const one = keeper({ maxReviews: 2 })
    const asked = ['a', 'b', 'c'].map(token => ask(one, token))
    expect(await asked[2]).toBe('unavailable')
    expect(peer.log).toHaveLength(2)
  })

  it('do not fill the memory: the oldest decisions are forgotten', async () => {
    const one = keeper({ maxDecisions: 2 })
    for (const token of ['a', 'b', 'c']) {
      const asked = ask(one, token)
      await decide(true)
      await asked
    }
    expect(await ask(one, 'c')).toBe('allowed')
    const again = ask(one, 'a')
    await decide(true)
    expect(await again).toBe('allowed')
    expect(peer.log).toHaveLength(8)
  })
})
