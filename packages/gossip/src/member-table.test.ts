import { parseAddress } from '@carillon/core'
import { seededRandom } from '@carillon/core/testing'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Liveness, MemberRecord } from './member-record.ts'
import { MemberTable } from './member-table.ts'

const record = (name: string, address: string, port = 7946, liveness: Liveness = 'alive'): MemberRecord => ({
  name,
  addr: parseAddress(address),
  port,
  meta: new Uint8Array(),
  vsn: Uint8Array.of(1, 5, 2, 0, 0, 0),
  incarnation: 1,
  liveness,
  since: 0,
})

it('finds a member by where it is, in whichever form its IPv4 address was told', () => {
  const table = new MemberTable()
  const random = seededRandom(1)
  table.set(record('a', '10.0.0.1'), random)
  table.set(record('b', '::ffff:10.0.0.2'), random)
  table.set(record('c', 'fd00::3', 7000), random)
  expect(table.atAddress('10.0.0.1', 7946)?.name).toBe('a')
  expect(table.atAddress('10.0.0.2', 7946)?.name).toBe('b')
  expect(table.atAddress('fd00::3', 7000)?.name).toBe('c')
  expect(table.atAddress('fd00::3', 7946)).toBeUndefined()
})

it('finds the one that lives where a node came back under another name', () => {
  const table = new MemberTable()
  const random = seededRandom(1)
  table.set(record('old', '10.0.0.1', 7946, 'dead'), random)
  expect(table.atAddress('10.0.0.1', 7946)?.name).toBe('old')
  table.set(record('new', '10.0.0.1'), random)
  expect(table.atAddress('10.0.0.1', 7946)?.name).toBe('new')
  table.reap(({ name }) => name === 'new')
  expect(table.atAddress('10.0.0.1', 7946)?.name).toBe('old')
})

it('says of an address what a look at everybody would say, through arrivals, moves, deaths and reaping', () => {
  const names = fc.constantFrom('a', 'b', 'c', 'd')
  const hosts = fc.integer({ min: 1, max: 3 })
  const act = fc.oneof(
    fc.record({ name: names, host: hosts, liveness: fc.constantFrom<Liveness>('alive', 'dead') }),
    fc.record({ reap: names }),
  )
  fc.assert(
    fc.property(fc.array(act), acts => {
      const table = new MemberTable()
      const random = seededRandom(1)
      for (const one of acts) {
        if ('reap' in one) table.reap(({ name }) => name === one.reap)
        else table.set(record(one.name, `10.0.0.${one.host}`, 7946, one.liveness), random)
        for (const host of [1, 2, 3]) {
          const there = [...table.all()].filter(({ addr }) => addr[3] === host)
          const found = table.atAddress(`10.0.0.${host}`, 7946)
          expect(found === undefined).toBe(there.length === 0)
          if (found) expect(there).toContain(found)
          if (there.some(({ liveness }) => liveness === 'alive')) expect(found?.liveness).toBe('alive')
        }
      }
    }),
  )
})

it('draws different members that suit, however large the table', () => {
  for (const size of [5, 500]) {
    const table = new MemberTable()
    const random = seededRandom(2)
    for (let i = 0; i < size; i++) table.set(record(`n${i}`, `10.0.${i >> 8}.${i & 255}`), random)
    const drawn = table.sample(3, random, ({ name }) => name !== 'n0').map(({ name }) => name)
    expect(new Set(drawn).size).toBe(3)
    expect(drawn).not.toContain('n0')
    expect(table.sample(10, random, ({ name }) => name === 'n1')).toHaveLength(1)
  }
})

it('gives everybody a turn before anybody has another, newcomers included', () => {
  const table = new MemberTable()
  const random = seededRandom(3)
  for (let i = 0; i < 7; i++) table.set(record(`n${i}`, `10.0.0.${i}`), random)
  const others = ({ name }: MemberRecord): boolean => name !== 'n0'
  const take = (count: number): readonly string[] =>
    table.inTurn(count, random, others).map(({ name }) => name)
  expect([...take(3), ...take(3)].sort()).toEqual(['n1', 'n2', 'n3', 'n4', 'n5', 'n6'])
  const first = take(2)
  table.set(record('n7', '10.0.0.7'), random)
  expect([...first, ...take(2), ...take(3)].sort()).toEqual(['n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7'])
  expect(take(20)).toHaveLength(7)
  expect(table.inTurn(1, random, () => false)).toEqual([])
})

it('knows who is gone, until they are back or forgotten', () => {
  const table = new MemberTable()
  const random = seededRandom(4)
  const gone = (): readonly string[] => table.gone().map(({ name }) => name)
  for (const name of ['a', 'b', 'c', 'd']) table.set(record(name, '10.0.0.1'), random)
  expect(gone()).toEqual([])
  table.set(record('a', '10.0.0.1', 7946, 'dead'), random)
  table.set(record('b', '10.0.0.1', 7946, 'left'), random)
  table.set(record('c', '10.0.0.1', 7946, 'suspect'), random)
  expect(gone()).toEqual(['a', 'b'])
  table.set(record('a', '10.0.0.1'), random)
  table.reap(({ name }) => name === 'b')
  expect(gone()).toEqual([])
})
