import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AddressClaim, AddressPool } from './address-pool.ts'

const three = ['10.0.0.1-10.0.0.2', '10.0.0.7/32']

describe('a pool of addresses', () => {
  it('gives its addresses in order, and says when there are none left', () => {
    const pool = new AddressPool(three)
    const claims = ['a', 'b', 'c', 'd'].map(name => ({ name }))
    expect([...pool.assign(claims)]).toEqual([
      ['a', { address: '10.0.0.1' }],
      ['b', { address: '10.0.0.2' }],
      ['c', { address: '10.0.0.7' }],
      ['d', { because: 'every address of the pool is in use: add some, or free one' }],
    ])
  })

  it('leaves everybody what they hold, whoever else comes first', () => {
    const pool = new AddressPool(three)
    const granted = pool.assign([{ name: 'a' }, { name: 'b', holds: '10.0.0.1' }])
    expect(granted.get('a')).toEqual({ address: '10.0.0.2' })
    expect(granted.get('b')).toEqual({ address: '10.0.0.1' })
  })

  it('of two that hold the same address leaves it to the first', () => {
    const granted = new AddressPool(three).assign([
      { name: 'a', holds: '10.0.0.2' },
      { name: 'b', holds: '10.0.0.2' },
    ])
    expect(granted.get('a')).toEqual({ address: '10.0.0.2' })
    expect(granted.get('b')).toEqual({ address: '10.0.0.1' })
  })

  it('takes back what it does not have any more', () => {
    const granted = new AddressPool(three).assign([{ name: 'a', holds: '192.0.2.1' }])
    expect(granted.get('a')).toEqual({ address: '10.0.0.1' })
  })

  it('remembers what it gave until that is written down, unless somebody else was faster', () => {
    const pool = new AddressPool(three)
    pool.assign([{ name: 'b' }])
    expect(pool.assign([{ name: 'a' }, { name: 'b' }]).get('b')).toEqual({ address: '10.0.0.1' })
    const later = pool.assign([{ name: 'a', holds: '10.0.0.1' }, { name: 'b' }])
    expect(later.get('b')).toEqual({ address: '10.0.0.2' })
  })

  it('gives what has come free to others', () => {
    const pool = new AddressPool(['10.0.0.1/32'])
    pool.assign([{ name: 'a' }])
    expect(pool.assign([{ name: 'b' }]).get('b')).toEqual({ address: '10.0.0.1' })
  })

  it('grants a wish, however it is spelled, and moves who wishes for another address', () => {
    const pool = new AddressPool([...three, 'fd00::/126'])
    expect(pool.assign([{ name: 'a', wants: 'FD00:0::2' }]).get('a')).toEqual({ address: 'fd00::2' })
    const moved = pool.assign([{ name: 'a', holds: 'fd00::2', wants: '10.0.0.7' }])
    expect(moved.get('a')).toEqual({ address: '10.0.0.7' })
  })

  it('says why a wish is not granted; who had an address keeps it', () => {
    const pool = new AddressPool(three)
    const granted = pool.assign([
      { name: 'a', holds: '10.0.0.1' },
      { name: 'b', holds: '10.0.0.2', wants: '10.0.0.1' },
      { name: 'c', wants: '192.0.2.1' },
      { name: 'd', wants: 'the first' },
    ])
    expect(granted.get('b')).toEqual({
      address: '10.0.0.2',
      because: '10.0.0.1 is in use by a: ask for another one',
    })
    expect(granted.get('c')).toEqual({
      because: '192.0.2.1 is outside of the pool: ask for another one, or extend the pool',
    })
    expect(granted.get('d')).toEqual({ because: '"the first" is no IP address' })
  })

  it('gives an address that somebody leaves to the earliest claim that waits for it', () => {
    const pool = new AddressPool(three)
    pool.assign([{ name: 'e' }])
    const claims = [
      { name: 'c', wants: '10.0.0.1' },
      { name: 'e', wants: '10.0.0.7' },
      { name: 'a', holds: '10.0.0.2', wants: '10.0.0.1' },
    ]
    const granted = pool.assign(claims)
    expect(granted.get('c')).toEqual({ address: '10.0.0.1' })
    expect(granted.get('e')).toEqual({ address: '10.0.0.7' })
    expect(granted.get('a')).toEqual({
      address: '10.0.0.2',
      because: '10.0.0.1 is in use by c: ask for another one',
    })
    expect(pool.assign(claims)).toEqual(granted)
  })

  it('keeps what it has given, whoever else asks for it before it is written down', () => {
    const pool = new AddressPool(three)
    const moving = { name: 'a', holds: '10.0.0.2', wants: '10.0.0.1' }
    pool.assign([moving])
    const granted = pool.assign([{ name: 'c', wants: '10.0.0.1' }, moving])
    expect(granted.get('a')).toEqual({ address: '10.0.0.1' })
    expect(granted.get('c')?.because).toContain('in use by a')
  })

  it('tells a range that it cannot read', () => {
    expect(() => new AddressPool(['10.0.0.1'])).toThrow('write 10.0.0.1/32')
  })

  const address = fc.constantFrom('10.0.0.1', '10.0.0.2', '10.0.0.7', '192.0.2.1')
  const claims: fc.Arbitrary<AddressClaim[]> = fc.uniqueArray(
    fc.record(
      { name: fc.constantFrom('a', 'b', 'c', 'd', 'e'), holds: address, wants: address },
      { requiredKeys: ['name'] },
    ),
    { selector: claim => claim.name },
  )

  it('never gives one address to two, nor one that it does not have, and repeats itself', () => {
    fc.assert(
      fc.property(fc.array(claims), rounds => {
        const pool = new AddressPool(three)
        for (const round of rounds) {
          const granted = pool.assign(round)
          const given = [...granted.values()].flatMap(one => one.address ?? [])
          expect(new Set(given).size).toBe(given.length)
          for (const one of given) expect(pool.has(one)).toBe(true)
          for (const one of granted.values()) expect(one.address ?? one.because).toBeDefined()
          expect(pool.assign(round)).toEqual(granted)
        }
      }),
    )
  })
})
