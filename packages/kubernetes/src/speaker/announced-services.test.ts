import type { Advertisement } from '@carillon/core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AnnouncedServices } from './announced-services.ts'

const advertisement = (address: string, ...services: readonly string[]): Advertisement => ({
  address,
  services,
  options: {},
})

describe('the Services behind advertisements', () => {
  it('are told once when they come, when something about them changes, and when they go', () => {
    const announced = new AnnouncedServices()
    const [four, six] = [
      advertisement('192.0.2.1', 'default/web'),
      advertisement('2001:db8::1', 'default/web'),
    ]
    expect(announced.follow([four])).toEqual(new Map([['default/web', { by: new Set([four]), fresh: true }]]))
    expect(announced.follow([four])).toEqual(new Map())
    expect(announced.follow([four, six])).toEqual(
      new Map([['default/web', { by: new Set([four, six]), fresh: false }]]),
    )
    expect(announced.behind('2001:db8::1')).toEqual([six])
    expect(announced.follow([])).toEqual(new Map([['default/web', { by: new Set(), fresh: false }]]))
    expect(announced.follow([six])).toEqual(new Map([['default/web', { by: new Set([six]), fresh: true }]]))
  })

  it('are always those that the last list names, whatever came before', () => {
    const pool = Array.from({ length: 8 }, (_, i) =>
      advertisement(`192.0.2.${i}`, `a/${i % 3}`, `b/${i % 2}`),
    )
    fc.assert(
      fc.property(fc.array(fc.shuffledSubarray(pool)), lists => {
        const announced = new AnnouncedServices()
        const known = new Map<string, ReadonlySet<Advertisement>>()
        for (const list of lists) {
          for (const [key, { by, fresh }] of announced.follow(list)) {
            expect(fresh).toBe(!known.has(key))
            if (by.size === 0) known.delete(key)
            else known.set(key, new Set(by))
          }
          const wanted = new Map<string, Set<Advertisement>>()
          for (const one of list)
            for (const key of one.services) wanted.set(key, (wanted.get(key) ?? new Set()).add(one))
          expect(known).toEqual(wanted)
        }
      }),
    )
  })
})
