import { strict as assert } from 'node:assert'
import type { Advertisement, AnnouncementStatus, Announcer } from '../speaker/announcer.ts'
import { settle } from './fake-clock.ts'

/** What the suite needs of an announcer's author. A new one for every check. */
export interface AnnouncerUnderTest {
  readonly announcer: Announcer
  /** The nth (0..9) of ten different advertisements that this announcer can make in the world it was given. */
  advertisement(n: number): Advertisement
  /** Lets everything happen that is under way: timers, sockets, promises. Default: promises only. */
  settle?(): Promise<void>
}

/** One promise of the contract; `run` rejects with an AssertionError when it is broken. */
export interface ContractCheck {
  readonly name: string
  run(): Promise<void>
}

const addresses = (status: readonly AnnouncementStatus[]): readonly string[] => status.map(one => one.address)

/**
 * What every announcer promises, as checks for any test runner:
 * `for (const check of announcerContract(make)) it(check.name, () => check.run())`.
 */
export function announcerContract(
  make: () => Promise<AnnouncerUnderTest> | AnnouncerUnderTest,
): readonly ContractCheck[] {
  const check = (
    name: string,
    body: (
      announcer: Announcer,
      advertisement: (n: number) => Advertisement,
      wait: () => Promise<void>,
    ) => Promise<void>,
  ): ContractCheck => ({
    name,
    async run() {
      const under = await make()
      const wait = under.settle?.bind(under) ?? settle
      try {
        await body(under.announcer, n => under.advertisement(n), wait)
      } finally {
        await under.announcer[Symbol.asyncDispose]()
      }
    },
  })

  return [
    check('says who it is and who may speak', async announcer => {
      assert.match(announcer.name, /^[a-z][a-z0-9-]*$/)
      assert.ok(announcer.speakers === 'one' || announcer.speakers === 'each')
      assert.ok(announcer.families.length > 0)
    }),
    check('has nothing to report before anything is desired', async (announcer, _advertisement, wait) => {
      await announcer.start()
      await wait()
      assert.deepEqual(announcer.status(), [])
    }),
    check(
      'announces what is desired and reports it in that order',
      async (announcer, advertisement, wait) => {
        await announcer.start()
        const desired = [advertisement(1), advertisement(0)]
        announcer.announce(desired)
        await wait()
        const status = announcer.status()
        assert.deepEqual(addresses(status), [advertisement(1).address, advertisement(0).address])
        for (const one of status) {
          assert.equal(one.state, 'announced', `${one.address}: ${one.error?.message ?? one.state}`)
          assert.ok(one.via.length > 0, `${one.address} does not say where it is announced`)
        }
      },
    ),
    check('tells of every change of state', async (announcer, advertisement, wait) => {
      const told = new Map<string, string>()
      announcer.events.on('announcement:changed', status => told.set(status.address, status.state))
      await announcer.start()
      announcer.announce([advertisement(0), advertisement(1)])
      await wait()
      for (const one of announcer.status()) assert.equal(told.get(one.address), one.state)
    }),
    check('does nothing when told the same again', async (announcer, advertisement, wait) => {
      await announcer.start()
      announcer.announce([advertisement(0), advertisement(1)])
      await wait()
      const before = announcer.status()
      let changes = 0
      announcer.events.on('announcement:changed', () => changes++)
      announcer.announce([advertisement(0), advertisement(1)])
      await wait()
      assert.equal(changes, 0)
      assert.deepEqual(announcer.status(), before)
    }),
    check(
      'takes the set as a whole: what is missing is withdrawn, what is new is added',
      async (announcer, advertisement, wait) => {
        await announcer.start()
        announcer.announce([advertisement(0), advertisement(1), advertisement(2)])
        await wait()
        announcer.announce([advertisement(2), advertisement(3)])
        await wait()
        const wanted = [advertisement(2).address, advertisement(3).address]
        assert.deepEqual(addresses(announcer.status()), wanted)
      },
    ),
    check('withdraws everything when nothing is desired', async (announcer, advertisement, wait) => {
      await announcer.start()
      announcer.announce([advertisement(0), advertisement(1)])
      await wait()
      announcer.announce([])
      await wait()
      assert.deepEqual(announcer.status(), [])
    }),
    check('can take an address back that it gave up', async (announcer, advertisement, wait) => {
      await announcer.start()
      announcer.announce([advertisement(0)])
      await wait()
      announcer.announce([])
      announcer.announce([advertisement(0)])
      await wait()
      assert.deepEqual(
        announcer.status().map(one => one.state),
        ['announced'],
      )
    }),
    check('keeps what is desired before it has started', async (announcer, advertisement, wait) => {
      announcer.announce([advertisement(0)])
      await announcer.start()
      await wait()
      assert.deepEqual(
        announcer.status().map(one => one.state),
        ['announced'],
      )
    }),
    check('neither changes nor holds on to the array it is given', async (announcer, advertisement, wait) => {
      await announcer.start()
      const desired = [advertisement(0), advertisement(1)]
      announcer.announce(desired)
      desired.length = 0
      await wait()
      assert.equal(announcer.status().length, 2)
      announcer.announce(Object.freeze([advertisement(0)]))
      await wait()
      assert.equal(announcer.status().length, 1)
    }),
    check(
      'reports what it cannot say instead of throwing, and says the rest',
      async (announcer, advertisement, wait) => {
        await announcer.start()
        const odd: Advertisement = {
          address: 'not an address',
          services: [],
          options: { interfaces: 7, unknown: {} },
        }
        announcer.announce([odd, advertisement(0)])
        await wait()
        const [first, second] = announcer.status()
        assert.equal(first?.state, 'failed')
        assert.ok(first?.error, 'a failed announcement carries its error')
        assert.equal(second?.state, 'announced')
      },
    ),
    check('can be closed twice, and is silent afterwards', async (announcer, advertisement, wait) => {
      await announcer.start()
      announcer.announce([advertisement(0)])
      await wait()
      await announcer[Symbol.asyncDispose]()
      await announcer[Symbol.asyncDispose]()
      let changes = 0
      announcer.events.on('announcement:changed', () => changes++)
      announcer.announce([advertisement(1)])
      await wait()
      assert.equal(changes, 0)
    }),
  ]
}
