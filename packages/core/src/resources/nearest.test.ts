import fc from 'fast-check'
import { expect, it } from 'vitest'
import { nearest } from './nearest.ts'

it('finds the name that was meant', () => {
  const names = ['peerASN', 'peerAddress', 'peerPort', 'password', 'passwordSecret']
  expect(nearest('peerAsn', names)).toBe('peerASN')
  expect(nearest('peerAdress', names)).toBe('peerAddress')
  expect(nearest('perePort', names)).toBe('peerPort')
  expect(nearest('passwd', names)).toBe('password')
  expect(nearest('colour', names)).toBeUndefined()
  expect(nearest('x'.repeat(100_000), names)).toBeUndefined()
})

it('finds a name in spite of one letter more, less or other', () => {
  const names = ['aggregationLength', 'ipAddressPools', 'serviceSelectors']
  fc.assert(
    fc.property(
      fc.constantFrom(...names),
      fc.nat(),
      fc.nat(1),
      fc.string({ maxLength: 1 }),
      (name, at, cut, letter) => {
        const place = at % name.length
        expect(nearest(name.slice(0, place) + letter + name.slice(place + cut), names)).toBe(name)
      },
    ),
  )
})
