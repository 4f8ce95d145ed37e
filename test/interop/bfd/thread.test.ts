import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BfdSettings } from '@carillon/bgp/bfd'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { eventually } from '../../lab/support/speaker-lab.ts'
import { RouterLab } from '../support/routers/router-lab.ts'
import { describeBfd } from './support/needs.ts'
import { now, OurBfd, type Where } from './support/our-bfd.ts'

const fast: Partial<BfdSettings> = { transmitIntervalMs: 50, receiveIntervalMs: 50 }
/** Leaves time for another thread to start, on a busy machine too. */
const patient: Partial<BfdSettings> = {
  transmitIntervalMs: 1000,
  receiveIntervalMs: 1000,
  detectMultiplier: 6,
}

describeBfd('the thread of BFD', () => {
  let lab: RouterLab
  let running: OurBfd[]
  let broken: string

  beforeAll(async () => {
    lab = await RouterLab.build('bfd-thread', ['a', 'b', 'c'])
    broken = join(lab.folder, 'broken')
  })

  afterAll(async () => {
    await lab?.[Symbol.asyncDispose]()
  })

  beforeEach(() => {
    running = []
  })

  afterEach(async () => {
    await rm(broken, { force: true })
    await Promise.all(running.map(one => one[Symbol.asyncDispose]()))
  })

  async function start(host: string, where: Where): Promise<OurBfd> {
    const bfd = await OurBfd.start(lab.net, host, where, broken)
    running.push(bfd)
    return bfd
  }

  /** A session between two hosts that is up, and of which both have agreed on the intervals. Its name is that of the other host. */
  async function meet(
    one: readonly [host: string, bfd: OurBfd, profile: Partial<BfdSettings>],
    other: readonly [host: string, bfd: OurBfd, profile: Partial<BfdSettings>],
    detectionTimeMs?: number,
  ): Promise<void> {
    for (const [[, bfd, profile], [peer]] of [
      [one, other],
      [other, one],
    ] as const)
      await bfd.open({ peer: lab.address(peer), profile }, peer)
    for (const [[, bfd], [peer]] of [
      [one, other],
      [other, one],
    ] as const)
      await bfd.becomes(peer, { state: 'up', ...(detectionTimeMs !== undefined && { detectionTimeMs }) })
  }

  test('keeps its sessions while the main thread is busy for ten detection times; without it they are lost', async () => {
    const [a, b, c] = [await start('a', 'thread'), await start('b', 'thread'), await start('c', 'main')]
    await meet(['a', a, fast], ['b', b, fast], 150)
    await meet(['b', b, fast], ['c', c, fast], 150)
    const { counters } = await a.status('b')
    const then = now()
    await Promise.all([a.hold(1500), c.hold(1500)])
    expect((await b.next('c', then)).cause).toBe('silence')
    expect([a.told('b'), b.told('a')]).toEqual([['up'], ['up']])
    const more = async (): Promise<true | undefined> =>
      (await a.status('b')).counters.controlIn > counters.controlIn + 20 || undefined
    await eventually('packets have passed', more)
  })

  test('that was held up reads what has come meanwhile, before it declares silence', async () => {
    const [a, b] = [await start('a', 'main'), await start('b', 'thread')]
    // While we are held up we do not send: the other end is told to be patient with us.
    await meet(['a', a, { ...fast, detectMultiplier: 60 }], ['b', b, fast])
    await a.becomes('b', { detectionTimeMs: 150 })
    await a.hold(400, 5)
    expect([a.told('b'), b.told('a')]).toEqual([['up'], ['up']])
  })

  test('that dies is replaced, and neither end notices', async () => {
    const [a, b] = [await start('a', 'fragile'), await start('b', 'thread')]
    await meet(['a', a, patient], ['b', b, patient], 6000)
    const before = await a.status('b')
    await a.kill()
    const failure = await a.next('', 0)
    expect(failure.reason).toContain('it ended by itself with code 7')
    await a.becomes('b', { problem: undefined })
    const { controlIn } = (await a.status('b')).counters
    const more = async (): Promise<true | undefined> =>
      (await a.status('b')).counters.controlIn > controlIn + 6 || undefined
    await eventually('packets pass again', more, 20)
    expect([a.told('b'), b.told('a')]).toEqual([['up'], ['up']])
    const { discriminator, since } = before
    expect(await a.status('b')).toMatchObject({ state: 'up', discriminator, since })
  })

  test('that dies and cannot be replaced takes its sessions down after their detection time', async () => {
    const [a, b] = [await start('a', 'fragile'), await start('b', 'thread')]
    await meet(['a', a, fast], ['b', b, fast], 150)
    await writeFile(broken, '')
    const then = now()
    await a.kill()
    const down = await a.next('b', then)
    expect(down).toMatchObject({
      event: 'down',
      cause: 'thread',
      reason: `no thread ran the session with ${lab.address('b')} for 150 ms`,
    })
    expect((await a.status('b')).problem?.code).toBe('BFD_THREAD_FAILED')
    const first = await a.next('', then)
    const second = await a.next('', first.at)
    const third = await a.next('', second.at)
    // One failure is the death; then a thread is tried once a second at most, and may be a while about it.
    expect(third.at - first.at).toBeGreaterThan(900)
    expect(third.reason).toContain('the network is broken')
    await rm(broken)
    await a.becomes('b', { state: 'up', problem: undefined })
  })
})
