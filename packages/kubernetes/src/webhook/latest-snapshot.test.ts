import { CarillonError, emptySnapshot, silentLogger } from '@carillon/core'
import { FakeClock } from '@carillon/core/testing'
import { expect, it } from 'vitest'
import type { Client, ResourceType } from '../client/index.ts'
import { LatestSnapshot } from './latest-snapshot.ts'

it('an account that may not list Secrets asks for them once a minute, and takes none for missing', async () => {
  const clock = new FakeClock()
  const asked: string[] = []
  const listAll = async ({ plural }: ResourceType) => {
    asked.push(plural)
    if (plural === 'secrets') throw new CarillonError('API_FORBIDDEN', 'may not list secrets')
    return { items: [], resourceVersion: '1' }
  }
  const latest = new LatestSnapshot({
    client: { listAll } as unknown as Client,
    namespace: 'metallb-system',
    current: () => emptySnapshot,
    clock,
    log: silentLogger,
    timeoutMs: 1000,
  })
  const secretsAsked = (): number => asked.filter(plural => plural === 'secrets').length
  for (let i = 0; i < 3; i++) {
    const { problems } = await latest.read()
    expect(problems).toMatchObject([
      { kind: 'Secret', message: expect.stringContaining('may not be listed') },
    ])
  }
  expect(secretsAsked()).toBe(1)
  expect(asked.filter(plural => plural === 'ipaddresspools')).toHaveLength(3)
  clock.advance(60_000)
  await latest.read()
  expect(secretsAsked()).toBe(2)
})
