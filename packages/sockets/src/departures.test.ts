import type { Link, Links } from '@carillon/core'
import { expect, test } from 'vitest'
import { Departures } from './departures.ts'

const link = (index: number, up: boolean): Link => ({
  index,
  name: `eth${index}`,
  mac: new Uint8Array(6),
  mtu: 1500,
  up,
  carrier: up,
  broadcast: true,
  loopback: false,
  noArp: false,
  addresses: [],
})

/** Links that a test sets; counts how often they were opened and closed. */
class TestLinks {
  opened = 0
  closed = 0
  #links: readonly Link[] = []
  #handle: (links: readonly Link[]) => void = () => {}

  set(...links: readonly Link[]): void {
    this.#links = links
    this.#handle(links)
  }

  readonly open = async (): Promise<Links> => {
    this.opened++
    return {
      current: () => this.#links,
      changed: handle => {
        this.#handle = handle
      },
      [Symbol.asyncDispose]: async () => {
        this.closed++
      },
    }
  }
}

const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

test('who waits is told when the interface goes, and link events are listened to only meanwhile', async () => {
  const links = new TestLinks()
  const departures = new Departures(links.open)
  let gone = 0
  links.set(link(1, false), link(2, true))
  departures.watch(1, () => gone++)
  await settled()
  expect([links.opened, gone]).toEqual([1, 0])
  links.set(link(2, true))
  expect(gone).toBe(1)
  await settled()
  expect(links.closed).toBe(1)
})

test('who waits is not told any more once the interface is up again', async () => {
  const links = new TestLinks()
  const departures = new Departures(links.open)
  let gone = 0
  links.set(link(1, false))
  departures.watch(1, () => gone++)
  await settled()
  links.set(link(1, true))
  links.set()
  expect(gone).toBe(0)
})

test('an interface that went before anybody looked is noticed', async () => {
  const links = new TestLinks()
  const departures = new Departures(links.open)
  const told: string[] = []
  links.set(link(1, false))
  departures.watch(1, () => told.push('first'))
  await settled()
  departures.watch(7, () => told.push('second'))
  await settled()
  expect(told).toEqual(['second'])
})

test('who stops waiting is not told', async () => {
  const links = new TestLinks()
  const departures = new Departures(links.open)
  let gone = 0
  const tell = (): void => {
    gone++
  }
  links.set(link(1, false))
  departures.watch(1, tell)
  departures.forget(tell)
  await settled()
  links.set()
  expect([gone, links.closed]).toEqual([0, 1])
})

test('without link events everybody is told at once', async () => {
  const departures = new Departures(() => Promise.reject(new Error('no netlink')))
  let gone = 0
  departures.watch(1, () => gone++)
  await settled()
  expect(gone).toBe(1)
})
